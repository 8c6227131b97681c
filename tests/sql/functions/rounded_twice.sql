-- what: A time that is rounded twice the same way is rounded once, to the larger unit.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CEIL(CEIL(t3 TO DAY) TO QUARTER) AS a, CEIL(CEIL(t3 TO DAY) TO YEAR) AS b, FLOOR(FLOOR(t3 TO HOUR) TO MONTH) AS c, CEIL(FLOOR(t3 TO DAY) TO QUARTER) AS e, CEIL(CEIL(t3 TO YEAR) TO QUARTER) AS f, CEIL(CEIL(d TO MONTH) TO QUARTER) AS g, CEIL(CEIL(TIMESTAMP '2024-03-31 12:00:00' TO DAY) TO QUARTER) AS h, CEIL(CEIL(t3 TO DAY) TO WEEK) AS i, CEIL(CEIL(t3 TO QUARTER) TO YEAR) AS j FROM times WHERE id IN (1, 3, 4, 8);
