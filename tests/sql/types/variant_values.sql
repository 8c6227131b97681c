-- what: VARIANT: type, access, text.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TYPEOF(v) AS t, v['a'] AS a, v['l'][2] AS l, v['zz'] AS z, JSON_STRING(v['o']) AS o, v IS NULL AS n, JSON_STRING(v['l'][1]) AS l1 FROM (SELECT id, PARSE_JSON('{"a": 1.5' || CAST(id AS STRING) || ', "l": [1, "x", null, true], "o": {"b": 2, "a": [1e3]}}') AS v FROM emp WHERE id < 3) AS x;
