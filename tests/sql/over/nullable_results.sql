-- what: Over a bounded frame results are nullable.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, SUM(k) OVER w AS s, AVG(k) OVER w AS a, MIN(k) OVER w AS mi, MAX(k) OVER w AS ma, FIRST_VALUE(k) OVER w AS f, LAST_VALUE(k) OVER w AS l, COUNT(k) OVER w AS c FROM (SELECT *, COALESCE(id, 0) AS k FROM clicks) AS x WINDOW w AS (PARTITION BY usr ORDER BY ts ROWS 2 PRECEDING);
