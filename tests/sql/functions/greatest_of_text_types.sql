-- what: The type of GREATEST, LEAST and ELT over texts of several types.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, GREATEST(v, 'b') AS a, GREATEST('b', v) AS b, GREATEST(v, w) AS c, GREATEST(c3, c2) AS d, GREATEST(c3, v) AS e, GREATEST(v, name) AS f, LEAST(c3, 'b', v) AS g, ELT(2, c3, c3) AS h, ELT(1, v, c3) AS i, ELT(2, 'a', 'bcd') AS j, ELT(1, v, w) AS k, ELT(id, v, name) AS l
FROM (SELECT id, name, CAST(name AS VARCHAR(4)) AS v, CAST(name AS VARCHAR(6)) AS w, CAST(name AS CHAR(3)) AS c3, CAST(name AS CHAR(2)) AS c2 FROM emp) AS t;
