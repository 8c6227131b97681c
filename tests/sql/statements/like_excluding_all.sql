-- what: LIKE EXCLUDING ALL INCLUDING GENERATED.
-- compare: rows
CREATE TABLE t (id INT NOT NULL, name STRING COMMENT 'who', price DECIMAL(10,2), at_time TIMESTAMP(3), total AS price * 2, WATERMARK FOR at_time AS at_time - INTERVAL '5' SECOND, PRIMARY KEY (id) NOT ENFORCED) COMMENT 'a table' PARTITIONED BY (name) WITH ('connector'='filesystem','path'='/x','format'='csv');
CREATE TABLE t2 WITH ('connector'='blackhole') LIKE t (EXCLUDING ALL INCLUDING GENERATED);
SHOW CREATE TABLE t2;
