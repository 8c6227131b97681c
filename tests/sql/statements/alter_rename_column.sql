-- what: ALTER TABLE RENAME a column that a computed one uses.
-- compare: rows
CREATE TABLE t (id INT NOT NULL, name STRING COMMENT 'who', price DECIMAL(10,2), at_time TIMESTAMP(3), total AS price * 2, WATERMARK FOR at_time AS at_time - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'a table' PARTITIONED BY (name) WITH ('connector'='filesystem','path'='/x','format'='csv');
ALTER TABLE t RENAME price TO cost;
DESCRIBE t;
