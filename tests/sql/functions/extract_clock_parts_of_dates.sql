-- what: EXTRACT of parts of the day from dates.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, EXTRACT(MILLISECOND FROM d) AS ms, EXTRACT(SECOND FROM d) AS s, EXTRACT(MINUTE FROM d) AS m, EXTRACT(HOUR FROM d) AS h FROM times WHERE id <> 5;
