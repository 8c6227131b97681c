-- q11: how often a bidder bids until ten seconds without a bid.
CREATE TABLE sink (bidder BIGINT, bids BIGINT, first_at TIMESTAMP(3), until_at TIMESTAMP(3)) WITH ('connector' = 'blackhole');
INSERT INTO sink
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end;
