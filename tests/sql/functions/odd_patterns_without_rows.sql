-- what: a pattern that Java refuses gives NULL in TO_TIMESTAMP, and nothing where no row needs it.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TO_TIMESTAMP(CAST(t3 AS STRING), 'yyyy b') AS a, DATE_FORMAT(t3, 'yyyy b') AS b FROM times WHERE id = 7;
