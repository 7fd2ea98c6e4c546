-- What was deleted. There is little of it, and whether there is any is asked whenever rows are made.
CREATE INDEX op_deleted ON op (id) WHERE kind = 'delete';
