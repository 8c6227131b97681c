-- what: MIN and MAX of dates, times, booleans and decimals in a frame.
-- compare: rows
CREATE TABLE clicks (id INT, usr STRING, page STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, MIN(CAST(ts AS TIME)) OVER w AS t, MAX(CAST(ts AS DATE)) OVER w AS d, MAX(page = 'home') OVER w AS b, MIN(CAST(id AS DECIMAL(20,4))) OVER w AS de FROM clicks WINDOW w AS (PARTITION BY usr ORDER BY ts ROWS 1 PRECEDING);
