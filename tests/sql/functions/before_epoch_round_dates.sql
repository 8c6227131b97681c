-- what: FLOOR and CEIL of dates before 1970.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FLOOR(d TO DAY) AS c0,
 FLOOR(d TO WEEK) AS c1,
 FLOOR(d TO MONTH) AS c2,
 FLOOR(d TO QUARTER) AS c3,
 FLOOR(d TO YEAR) AS c4,
 FLOOR(d TO DECADE) AS c5,
 FLOOR(d TO CENTURY) AS c6,
 FLOOR(d TO MILLENNIUM) AS c7,
 CEIL(d TO DAY) AS c8,
 CEIL(d TO WEEK) AS c9,
 CEIL(d TO MONTH) AS c10,
 CEIL(d TO QUARTER) AS c11,
 CEIL(d TO YEAR) AS c12,
 CEIL(d TO DECADE) AS c13,
 CEIL(d TO CENTURY) AS c14,
 CEIL(d TO MILLENNIUM) AS c15
FROM times WHERE id = 2;
