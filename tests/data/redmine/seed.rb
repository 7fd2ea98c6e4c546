# What an office has set up that uses Redmine: a project, a field for the hub's marks, and a member in whose name the hub
# creates issues.
require 'json'

Redmine::DefaultData::Loader.load('en')
Setting.rest_api_enabled = '1'
Setting.login_required = '1'
Setting.notified_events = []
hub = User.new(firstname: 'Stand', lastname: 'Pipe', mail: 'hub@example.test', language: 'en')
hub.login = 'hub'
hub.password = hub.password_confirmation = SecureRandom.hex(16)
hub.mail_notification = 'none'
hub.save!
field = IssueCustomField.create!(name: 'Standpipe', field_format: 'string', is_for_all: true, is_filter: true,
                                 trackers: Tracker.all.to_a, visible: true)
project = Project.create!(name: 'Garden', identifier: 'garden', is_public: false,
                          enabled_module_names: %w(issue_tracking), trackers: Tracker.all.to_a)
Member.create!(principal: hub, project: project, roles: [Role.find_by_name('Manager')])
closed = IssueStatus.where(is_closed: true).order(:id).first
admin = User.find_by_login('admin')
puts JSON.generate(key: hub.api_key, admin: admin.api_key, field: field.id, closed: closed.id, project: project.identifier)
STDOUT.flush
