-- tumble: bids per auction and ten seconds. Not one of the official queries: the keyed tumbling count.
CREATE TABLE sink (auction BIGINT, bids BIGINT, window_start TIMESTAMP(3)) WITH ('connector' = 'blackhole');
INSERT INTO sink
SELECT auction, COUNT(*) AS bids, window_start
FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY auction, window_start, window_end;
