-- Which making of them the rows are that follow from the log; 0 where nobody knows. Whoever serves makes them anew where it
-- would make others of the same log.
ALTER TABLE hub ADD COLUMN projection INTEGER NOT NULL DEFAULT 0;
