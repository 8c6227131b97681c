//! CREATE, ALTER and DROP.

use super::{refused, statements};

#[test]
fn create_table() {
    statements(&[
        (
            "CREATE TEMPORARY TABLE IF NOT EXISTS c.d.t (a INT PRIMARY KEY NOT ENFORCED COMMENT 'x', b STRING CONSTRAINT k UNIQUE, c INT NOT NULL METADATA FROM 'z' VIRTUAL COMMENT 'y', d BIGINT METADATA, e AS a + 1 COMMENT 'w', CONSTRAINT pk PRIMARY KEY (a, b) NOT ENFORCED, UNIQUE (b), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) COMMENT 'tc' DISTRIBUTED BY HASH (a) INTO 4 BUCKETS PARTITIONED BY (b) WITH ('a' = 'b', 'c' = 'it''s') LIKE o (INCLUDING ALL EXCLUDING OPTIONS OVERWRITING WATERMARKS)",
            "",
        ),
        ("CREATE TABLE t", ""),
        (
            "CREATE TABLE t (WATERMARK FOR a.b AS a.b, x INT)",
            "CREATE TABLE t (x INT, WATERMARK FOR a.b AS a.b)",
        ),
        ("CREATE TABLE t WITH ()", "CREATE TABLE t"),
        ("CREATE TABLE t DISTRIBUTED INTO 3 BUCKETS", ""),
        ("CREATE TABLE t DISTRIBUTED BY (a)", ""),
        ("CREATE TABLE t (a, b.c) AS SELECT 1, 2", ""),
        ("CREATE OR REPLACE TEMPORARY TABLE t AS SELECT 1", ""),
        ("REPLACE TABLE t (a INT) WITH ('a' = 'b') AS SELECT 1", ""),
        ("CREATE TABLE t LIKE u", ""),
        ("create table `order` (`group` string)", "CREATE TABLE `order` (`group` STRING)"),
        (
            "CREATE OR ALTER MATERIALIZED TABLE t (a, b) PARTITIONED BY (a) WITH ('a' = 'b') START_MODE = FROM_NOW(INTERVAL '1' DAY) FRESHNESS = INTERVAL '1' MINUTE REFRESH_MODE = FULL AS SELECT 1",
            "",
        ),
        (
            "CREATE MATERIALIZED TABLE t START_MODE = RESUME_OR_FROM_TIMESTAMP(TIMESTAMP '2020-01-01 00:00:00') AS SELECT 1",
            "",
        ),
    ]);
}

#[test]
fn create_other_things() {
    statements(&[
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ""),
        (
            "CREATE TEMPORARY VIEW IF NOT EXISTS a.v (x, y) COMMENT 'c' AS (SELECT 1)",
            "CREATE TEMPORARY VIEW IF NOT EXISTS a.v (x, y) COMMENT 'c' AS SELECT 1",
        ),
        ("CREATE CATALOG IF NOT EXISTS c COMMENT 'x' WITH ('a' = 'b')", ""),
        ("CREATE DATABASE IF NOT EXISTS a.b COMMENT 'x' WITH ('a' = 'b')", ""),
        ("CREATE FUNCTION a.b.f AS 'x' LANGUAGE JAVA USING JAR 'a', ARTIFACT 'b' WITH ('k' = 'v')", ""),
        ("CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS f AS 'a.b' LANGUAGE PYTHON", ""),
        ("CREATE MODEL m", ""),
        (
            "CREATE TEMPORARY MODEL IF NOT EXISTS m INPUT (a INT) OUTPUT (b STRING) COMMENT 'q' WITH ('a' = 'b') AS SELECT 1",
            "",
        ),
        ("CREATE TEMPORARY SYSTEM CONNECTION IF NOT EXISTS c COMMENT 'x' WITH ('type' = 'basic')", ""),
    ]);
}

#[test]
fn alter_and_drop() {
    statements(&[
        ("ALTER TABLE IF EXISTS t RENAME TO u", ""),
        ("ALTER TABLE t RENAME a.b TO c", ""),
        ("ALTER TABLE t SET ('a' = 'b')", ""),
        ("ALTER TABLE t RESET ('a', 'b')", ""),
        ("ALTER TABLE t ADD a INT", "ALTER TABLE t ADD (a INT)"),
        (
            "ALTER TABLE t ADD (a INT COMMENT 'x' FIRST, b STRING METADATA VIRTUAL AFTER a.c, c AS a + 1, PRIMARY KEY (a) NOT ENFORCED, WATERMARK FOR a AS a)",
            "",
        ),
        ("ALTER TABLE t MODIFY WATERMARK FOR a AS a", "ALTER TABLE t MODIFY (WATERMARK FOR a AS a)"),
        (
            "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a = '1', b = -2) WITH ('k' = 'v') PARTITION (a = DATE '2020-01-01')",
            "",
        ),
        ("ALTER TABLE t DROP IF EXISTS PARTITION (a = 1), PARTITION (a = NULL)", ""),
        ("ALTER TABLE t DROP a.b", "ALTER TABLE t DROP (a.b)"),
        ("ALTER TABLE t DROP PRIMARY KEY", ""),
        ("ALTER TABLE t DROP CONSTRAINT c", ""),
        ("ALTER TABLE t DROP WATERMARK", ""),
        ("ALTER TABLE t ADD DISTRIBUTION BY RANGE (a)", ""),
        ("ALTER TABLE t DROP DISTRIBUTION", ""),
        ("ALTER MATERIALIZED TABLE t SUSPEND", ""),
        ("ALTER MATERIALIZED TABLE t RESUME WITH ('a' = 'b')", ""),
        ("ALTER MATERIALIZED TABLE t REFRESH PARTITION (a = '1')", ""),
        ("ALTER MATERIALIZED TABLE t SET FRESHNESS = INTERVAL '1' DAY", ""),
        ("ALTER MATERIALIZED TABLE t SET REFRESH_MODE = CONTINUOUS", ""),
        ("ALTER MATERIALIZED TABLE t AS SELECT 1", ""),
        ("ALTER VIEW v RENAME TO w", ""),
        ("ALTER VIEW v AS SELECT 1", ""),
        ("ALTER CATALOG c SET ('a' = 'b')", ""),
        ("ALTER CATALOG c COMMENT 'x'", ""),
        ("ALTER DATABASE a.b SET ('a' = 'b')", ""),
        ("ALTER TEMPORARY SYSTEM FUNCTION IF EXISTS f AS 'x' LANGUAGE SCALA", ""),
        ("ALTER MODEL IF EXISTS m RENAME TO n", ""),
        ("ALTER CONNECTION c RESET ('a')", ""),
        ("ALTER SESSION SET a.b = ON", ""),
        ("ALTER SYSTEM RESET ALL", ""),
        ("DROP TEMPORARY TABLE IF EXISTS a.b", ""),
        ("DROP MATERIALIZED TABLE t", ""),
        ("DROP VIEW v", ""),
        ("DROP CATALOG IF EXISTS c", ""),
        ("DROP DATABASE d CASCADE", ""),
        ("DROP DATABASE d RESTRICT", ""),
        ("DROP TEMPORARY SYSTEM FUNCTION f", ""),
        ("DROP MODEL m", ""),
        ("DROP CONNECTION c", ""),
    ]);
}

#[test]
fn what_is_no_definition() {
    refused(&[
        ("CREATE TABLE t ()", ")", "expected a column name, found ')'"),
        (
            "CREATE TABLE t (a)",
            "CREATE TABLE t (a)",
            "columns without types need AS and a query / write a type behind every column name",
        ),
        ("CREATE TABLE t (a INT, a.b AS 1)", "AS", "expected a type, found the reserved word AS"),
        (
            "CREATE TABLE t (a INT) WITH (connector = 'x')",
            "connector",
            "expected a key in quotes, found 'connector' / keys and values of options are strings: 'key' = 'value'",
        ),
        (
            "CREATE TABLE t (a INT) WITH ('a' = 'b',)",
            ")",
            "expected a key in quotes, found ')' / take away the comma before it",
        ),
        ("CREATE TABLE t (a INT) WITH ('a' = 5)", "5", "expected a value in quotes, found the number 5"),
        (
            "CREATE TABLE t (a INT, WATERMARK FOR a AS a, WATERMARK FOR a AS a)",
            "WATERMARK FOR a AS a",
            "a table has only one WATERMARK",
        ),
        (
            "CREATE TABLE t (a INT METADATA COMMENT 'x' VIRTUAL)",
            "VIRTUAL",
            "expected ',' or ')', found 'VIRTUAL'",
        ),
        (
            "CREATE TABLE t (table INT)",
            "table",
            "expected a column name, found the reserved word TABLE / to use it as a name, put it in back quotes: `table`",
        ),
        (
            "CREATE TABEL t (a INT)",
            "TABEL",
            "expected OR, TEMPORARY, TABLE, MATERIALIZED, VIEW, CATALOG, DATABASE, FUNCTION, MODEL or CONNECTION, found 'TABEL' / did you mean TABLE?",
        ),
        ("CREATE OR REPLACE FUNCTION f AS 'x'", "OR REPLACE", "CREATE OR REPLACE FUNCTION is not Flink SQL"),
        (
            "CREATE SYSTEM FUNCTION f AS 'x'",
            "SYSTEM",
            "only temporary functions and connections can be of the system / write CREATE TEMPORARY SYSTEM",
        ),
        (
            "CREATE FUNCTION f AS 'x' LANGUAGE SQL USING JAR 'a'",
            "LANGUAGE SQL",
            "a function in this language uses no JAR and no ARTIFACT",
        ),
        (
            "CREATE TEMPORARY MATERIALIZED TABLE t AS SELECT 1",
            "TEMPORARY",
            "there is no temporary materialized table",
        ),
        (
            "CREATE MATERIALIZED TABLE t FRESHNESS = 1 AS SELECT 1",
            "1",
            "expected an interval, found the number 1",
        ),
        (
            "ALTER TABLE t COMPACT",
            "COMPACT",
            "expected RENAME, SET, RESET, ADD, MODIFY or DROP, found 'COMPACT'",
        ),
        ("DROP TABLE a, b", ",", "expected the end of the statement, found ','"),
        ("DROP TABLE a CASCADE", "CASCADE", "expected the end of the statement, found 'CASCADE'"),
    ]);
}
