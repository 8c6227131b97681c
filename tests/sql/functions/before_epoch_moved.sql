-- what: Times before 1970 moved, and the time between them.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TIMESTAMPADD(MONTH, 1, t3) AS c0, TIMESTAMPADD(HOUR, -7, t6) AS c1, TIMESTAMPADD(DAY, 40, d) AS c2, t3 + INTERVAL '1' MONTH AS c3, t6 - INTERVAL '1.5' SECOND AS c4, d + INTERVAL '1' YEAR AS c5,
 TIMESTAMPDIFF(DAY, t3, TIMESTAMP '1970-01-02 00:00:00') AS c6, TIMESTAMPDIFF(MONTH, t6, TIMESTAMP '1970-01-31 10:00:00') AS c7, TIMESTAMPDIFF(SECOND, t3, t6) AS c8, TIMESTAMPDIFF(YEAR, d, DATE '1972-02-29') AS c9, (t3 - TIMESTAMP '1970-01-01 00:00:00') DAY TO SECOND AS c10 FROM early;
