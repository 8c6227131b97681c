-- what: With table.exec.state.ttl a group says that it lives at each of its rows, changed or not.
-- compare: changelog
SET 'table.exec.state.ttl' = '1 d';
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3)) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, MIN(id) AS lo, COUNT(DISTINCT s) AS u FROM b GROUP BY k;
