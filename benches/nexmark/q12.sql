-- q12: how often a bidder bids in ten seconds of processing time.
CREATE VIEW bid_now AS SELECT bidder, PROCTIME() AS now FROM bid;
CREATE TABLE sink (bidder BIGINT, bids BIGINT, window_start TIMESTAMP_LTZ(3), window_end TIMESTAMP_LTZ(3)) WITH ('connector' = 'blackhole');
INSERT INTO sink
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(TUMBLE(TABLE bid_now, DESCRIPTOR(now), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end;
