-- How often a photo that had been confirmed was found to be gone, and was said to be. Tablets are told of it, so that they ask
-- again for what they think is here.
ALTER TABLE hub ADD COLUMN losses BIGINT NOT NULL DEFAULT 0;
