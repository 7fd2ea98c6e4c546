-- When the last byte of an upload came, or the upload was opened: it is kept for so long behind that.
ALTER TABLE upload ADD COLUMN touched INTEGER NOT NULL DEFAULT 0;
UPDATE upload SET touched = opened;
-- What its sender said of it, as it was said.
ALTER TABLE upload ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
CREATE INDEX upload_of_device ON upload (device);
