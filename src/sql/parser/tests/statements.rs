//! DML, statement sets, settings, SHOW and the like; statements in a row.

use super::{refused, statements};
use crate::sql::{parse_statements, statements as one_by_one};

#[test]
fn dml() {
    statements(&[
        ("INSERT INTO a.b /*+ OPTIONS('a' = 'b') */ PARTITION (x = '1', y = -2) (c, d.e) SELECT 1", ""),
        ("INSERT OVERWRITE a SELECT 1", ""),
        ("INSERT INTO a VALUES (1, 2), (3, DEFAULT)", ""),
        ("INSERT INTO a (SELECT 1)", "INSERT INTO a SELECT 1"),
        ("INSERT INTO a (b) (SELECT 1) UNION SELECT 2", ""),
        ("INSERT INTO a (b INT) (c) TABLE d", "INSERT INTO a EXTEND (b INT) (c) TABLE d"),
        ("INSERT INTO a WITH b AS (SELECT 1) SELECT * FROM b ON CONFLICT DO DEDUPLICATE", ""),
        ("UPSERT INTO a SELECT 1", ""),
        ("UPDATE a AS q SET b = 1, c = (SELECT 2) WHERE d", ""),
        ("DELETE FROM a WHERE b = 1", ""),
        (
            "MERGE INTO a AS q USING (SELECT 1) AS b ON TRUE WHEN MATCHED THEN UPDATE SET x = 1, q.y = 2 WHEN NOT MATCHED THEN INSERT (x) VALUES (1)",
            "",
        ),
        ("TRUNCATE TABLE a.b", ""),
        ("CALL a.b(1, x => 2)", ""),
    ]);
}

#[test]
fn statement_sets_and_plans() {
    statements(&[
        ("EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END", ""),
        ("EXECUTE INSERT INTO a SELECT 1", ""),
        ("EXECUTE (SELECT 1)", "EXECUTE SELECT 1"),
        ("BEGIN STATEMENT SET", ""),
        ("END", ""),
        ("EXPLAIN PLAN FOR SELECT 1", "EXPLAIN SELECT 1"),
        (
            "EXPLAIN ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE INSERT INTO a SELECT 1",
            "",
        ),
        ("EXPLAIN EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END", ""),
        ("EXPLAIN CREATE TABLE t AS SELECT 1", ""),
        ("COMPILE PLAN 'x' IF NOT EXISTS FOR INSERT INTO a SELECT 1", ""),
        ("COMPILE AND EXECUTE PLAN 'x' FOR STATEMENT SET BEGIN INSERT INTO a SELECT 1; END", ""),
        ("EXECUTE PLAN 'x'", ""),
    ]);
}

#[test]
fn settings_and_questions() {
    statements(&[
        ("SET", ""),
        ("SET 'a' = 'it''s'", ""),
        ("SET table.exec.state.ttl = 1h", "SET 'table.exec.state.ttl' = '1h'"),
        (
            "SET sql-client.execution.result-mode=tableau",
            "SET 'sql-client.execution.result-mode' = 'tableau'",
        ),
        ("SET a = 'b c'", "SET 'a' = 'b c'"),
        ("RESET", ""),
        ("RESET 'a'", ""),
        ("RESET a.b", "RESET 'a.b'"),
        ("USE a.b", ""),
        ("USE CATALOG a", ""),
        ("USE MODULES a, b", ""),
        ("LOAD MODULE a WITH ('x' = 'y')", ""),
        ("UNLOAD MODULE a", ""),
        ("ADD JAR 'x'", ""),
        ("REMOVE JAR 'x'", ""),
        ("SHOW CATALOGS NOT ILIKE 'a'", ""),
        ("SHOW CURRENT DATABASE", ""),
        ("SHOW TABLES FROM a.b NOT LIKE 'x'", ""),
        ("SHOW MATERIALIZED TABLES IN a", ""),
        ("SHOW USER FUNCTIONS", ""),
        ("SHOW COLUMNS FROM a.b.c LIKE 'x'", ""),
        ("SHOW PARTITIONS a PARTITION (b = 1)", ""),
        ("SHOW CREATE OR ALTER MATERIALIZED TABLE t", ""),
        ("SHOW CREATE CONNECTION a.b", ""),
        ("SHOW FULL MODULES", ""),
        ("DESC a.b", "DESCRIBE a.b"),
        ("DESCRIBE EXTENDED a", ""),
        ("DESCRIBE FUNCTION EXTENDED a.b", ""),
        ("DESCRIBE CATALOG c", ""),
        ("DESCRIBE catalog", ""),
        ("DESCRIBE JOB 'x'", ""),
        ("ANALYZE TABLE a PARTITION (b, c = 1) COMPUTE STATISTICS FOR COLUMNS d, e", ""),
        ("ANALYZE TABLE a COMPUTE STATISTICS FOR ALL COLUMNS", ""),
        ("STOP JOB 'x' WITH SAVEPOINT WITH DRAIN", ""),
        ("exit", "QUIT"),
    ]);
}

#[test]
fn what_is_no_statement() {
    refused(&[
        (
            "INSERT INTO TABLE a SELECT 1",
            "TABLE",
            "expected a table name, found the reserved word TABLE / to use it as a name, put it in back quotes: `TABLE`",
        ),
        ("INSERT a SELECT 1", "a", "expected OVERWRITE or INTO, found 'a'"),
        ("UPSERT OVERWRITE a SELECT 1", "OVERWRITE", "OVERWRITE goes only with INSERT"),
        ("EXECUTE STATEMENT SET BEGIN END", "END", "expected UPSERT or INSERT, found the reserved word END"),
        (
            "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 END",
            "END",
            "expected AS, ',', FROM, INTERSECT, UNION, EXCEPT, ORDER, LIMIT, OFFSET, FETCH, ON or ';', found the reserved word END",
        ),
        (
            "STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
            "STATEMENT",
            "expected ';' or a statement, found the reserved word STATEMENT / write EXECUTE STATEMENT SET BEGIN … END",
        ),
        (
            "EXPLAIN CREATE TABLE t (a INT)",
            "CREATE TABLE t (a INT)",
            "only a CREATE TABLE with AS can be explained",
        ),
        (
            "EXPLAIN CHANGELOG_MODE, CHANGELOG_MODE SELECT 1",
            "CHANGELOG_MODE",
            "this detail of EXPLAIN is named twice",
        ),
        ("SET a = b c", "a = b c", "this is no setting / write SET 'key' = 'value'"),
        ("STOP JOB 'x' WITH DRAIN", "WITH DRAIN", "WITH DRAIN goes only with WITH SAVEPOINT"),
        ("SHOW DATABASES IN a.b", "a.b", "a catalog's name has one part"),
        (
            "SHOW TABLES ILIKE 'x'",
            "ILIKE",
            "expected FROM, NOT, LIKE or the end of the statement, found the reserved word ILIKE / did you mean LIKE?",
        ),
        ("CALL f", "", "expected '(', found the end of the text"),
        ("USE", "", "expected a database name, found the end of the text"),
        ("HALLO", "HALLO", "expected ';' or a statement, found 'HALLO'"),
    ]);
}

#[test]
fn statements_in_a_row() {
    assert_eq!(parse_statements(" -- nothing\n /* at all */ ").unwrap(), []);
    assert_eq!(parse_statements(";; SELECT ';' ;; SELECT 2; ").unwrap().len(), 2);
    let text = "SELECT 1; SELEKT 2; BEGIN STATEMENT SET; INSERT INTO a (SELECT 1; END; SELECT 'é' x";
    let parsed: Vec<_> = one_by_one(text).unwrap().map(|s| s.map(|s| s.span.text(text))).collect();
    let shown: Vec<_> = parsed.iter().map(|s| s.as_ref().map_or("!", |s| *s)).collect();
    assert_eq!(shown, ["SELECT 1", "!", "BEGIN STATEMENT SET", "!", "END", "SELECT 'é' x"]);
    assert!(parse_statements(text).is_err());
}
