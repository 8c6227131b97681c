-- q14: bids of a range of prices in euros, the part of the day, and how many c's are in a text. `count_char` is a function of the program.
CREATE TABLE sink (auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), part STRING, `dateTime` TIMESTAMP(3), extra STRING, c_counts BIGINT)
WITH ('connector' = 'blackhole');
INSERT INTO sink
SELECT auction, bidder, 0.908 * price AS price,
  CASE WHEN HOUR(`dateTime`) BETWEEN 8 AND 18 THEN 'dayTime'
    WHEN HOUR(`dateTime`) <= 6 OR HOUR(`dateTime`) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS part,
  `dateTime`, extra, count_char(extra, 'c') AS c_counts
FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000;
