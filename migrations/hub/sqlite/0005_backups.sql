-- Backups are numbered in the order in which they begin. What was here before one began lies in it, once it is whole.
ALTER TABLE hub ADD COLUMN backups_begun INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hub ADD COLUMN backup_whole INTEGER NOT NULL DEFAULT 0;
-- What was told of before was a backup.
UPDATE hub SET backups_begun = 1, backup_whole = 1 WHERE EXISTS (SELECT 1 FROM backed_up);
