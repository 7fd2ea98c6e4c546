-- What was fetched before the hub put its mark under each operation is fetched once more, so that all of it can be given
-- back to a hub that lost it.

UPDATE pulled SET after = 0, checksum = 0
    WHERE EXISTS (SELECT 1 FROM op WHERE hub_seq IS NOT NULL AND op_id NOT IN (SELECT op_id FROM receipt));
UPDATE op SET hub_seq = NULL WHERE hub_seq IS NOT NULL AND (SELECT after FROM pulled) = 0;
