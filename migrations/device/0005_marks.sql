-- Everything is fetched once more: so that each operation bears the hub's mark and can be given back to a hub that lost it,
-- and because the checksum counts when an operation was received, too.

UPDATE pulled SET after = 0, checksum = 0;
UPDATE op SET hub_seq = NULL WHERE hub_seq IS NOT NULL;
