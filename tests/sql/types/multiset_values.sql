-- what: Multisets: type, text, casts, equality.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT TYPEOF(ms) AS t, CAST(ms AS MULTISET<BIGINT>) AS b, ms = ms AS e, ms IS NULL AS n FROM (SELECT COLLECT(dept) AS ms FROM emp) AS x;
