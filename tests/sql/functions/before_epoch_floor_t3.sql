-- what: FLOOR of TIMESTAMP(3) before 1970.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FLOOR(t3 TO MILLISECOND) AS c0,
 FLOOR(t3 TO SECOND) AS c1,
 FLOOR(t3 TO MINUTE) AS c2,
 FLOOR(t3 TO HOUR) AS c3,
 FLOOR(t3 TO DAY) AS c4,
 FLOOR(t3 TO WEEK) AS c5,
 FLOOR(t3 TO MONTH) AS c6,
 FLOOR(t3 TO QUARTER) AS c7,
 FLOOR(t3 TO YEAR) AS c8,
 FLOOR(t3 TO DECADE) AS c9,
 FLOOR(t3 TO CENTURY) AS c10,
 FLOOR(t3 TO MILLENNIUM) AS c11
FROM times WHERE id = 2;
