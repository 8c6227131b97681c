-- what: FLOOR of TIMESTAMP(6) before 1970.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FLOOR(t6 TO MILLISECOND) AS c0,
 FLOOR(t6 TO SECOND) AS c1,
 FLOOR(t6 TO MINUTE) AS c2,
 FLOOR(t6 TO HOUR) AS c3,
 FLOOR(t6 TO DAY) AS c4,
 FLOOR(t6 TO WEEK) AS c5,
 FLOOR(t6 TO MONTH) AS c6,
 FLOOR(t6 TO QUARTER) AS c7,
 FLOOR(t6 TO YEAR) AS c8,
 FLOOR(t6 TO DECADE) AS c9,
 FLOOR(t6 TO CENTURY) AS c10,
 FLOOR(t6 TO MILLENNIUM) AS c11
FROM times WHERE id = 2;
