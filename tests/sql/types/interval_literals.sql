-- what: Every kind of interval literal, and what comes of it.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, INTERVAL '1' YEAR AS a, INTERVAL '14' MONTH AS b, INTERVAL '1-2' YEAR TO MONTH AS c, INTERVAL '3' DAY AS d, INTERVAL '3 4' DAY TO HOUR AS e, INTERVAL '3 4:05' DAY TO MINUTE AS f,
 INTERVAL '3 4:05:06.789' DAY TO SECOND AS g, INTERVAL '4' HOUR AS h, INTERVAL '4:05' HOUR TO MINUTE AS i, INTERVAL '4:05:06' HOUR TO SECOND AS j, INTERVAL '5' MINUTE AS k, INTERVAL '5:06.7' MINUTE TO SECOND AS l,
 INTERVAL '6.123' SECOND AS m, INTERVAL -'3' DAY AS n, INTERVAL '-1-2' YEAR TO MONTH AS o, INTERVAL '100' DAY(3) AS p, INTERVAL '2' WEEK AS q, INTERVAL '2' QUARTER AS r FROM emp WHERE id = 1;
