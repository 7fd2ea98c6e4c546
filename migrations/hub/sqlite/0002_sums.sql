-- The checksums count when an operation was received, too. They are added up anew beside this: it takes SHA-256.

UPDATE op SET checksum = 0;

-- What comes into the log by another way leaves the quarantine.
CREATE INDEX quarantine_of_op ON quarantine (op_id) WHERE op_id IS NOT NULL;
