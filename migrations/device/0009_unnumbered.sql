-- What has no number of the hub's: it waits, was set aside, or the hub has lost it. There is little of it, and whether there
-- is any is asked at every start. By the order of arrival.
CREATE INDEX op_unnumbered ON op (hub_seq) WHERE hub_seq IS NULL;
