-- what: INSERT OVERWRITE into a table of files, unbounded execution.
-- compare: rows
CREATE TABLE s (a INT) WITH ('connector'='filesystem','path'='${OUT}/s','format'='csv');
INSERT OVERWRITE s VALUES (1);
