-- what: IF of times of two precisions has the first.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, IF(id > 3, t0, t3) AS a, IF(id > 3, t3, t6) AS b, IF(id > 3, t6, t0) AS c, CASE WHEN id > 3 THEN t0 ELSE t3 END AS e FROM times;
