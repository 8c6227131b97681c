-- what: SIMILAR TO and LIKE with ESCAPE, as values and negated.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, name SIMILAR TO '(a|b)%' AS a, name NOT SIMILAR TO '_o_' AS b, 'a_b' || name SIMILAR TO 'a!_%' ESCAPE '!' AS c, '100%' LIKE '100\%' ESCAPE '\' AS d, name NOT LIKE '%!_%' ESCAPE '!' AS e, name LIKE name AS f, name SIMILAR TO '[a-c][[:alpha:]]+' AS g, name SIMILAR TO CAST(NULL AS STRING) AS h FROM emp;
