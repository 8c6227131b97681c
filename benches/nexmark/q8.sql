-- q8, its windowed halves: who came, and who sold, in each ten seconds. The official query then joins them.
CREATE TABLE newcomers (id BIGINT, name STRING, window_start TIMESTAMP(3)) WITH ('connector' = 'blackhole');
CREATE TABLE sellers (seller BIGINT, window_start TIMESTAMP(3)) WITH ('connector' = 'blackhole');
EXECUTE STATEMENT SET BEGIN
INSERT INTO newcomers
SELECT id, name, window_start FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY id, name, window_start, window_end;
INSERT INTO sellers
SELECT seller, window_start FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY seller, window_start, window_end;
END;
