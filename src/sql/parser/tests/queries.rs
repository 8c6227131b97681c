//! Queries and what they read.

use super::{refused, statements};

#[test]
fn select() {
    statements(&[
        ("SELECT 1", ""),
        ("select a b, c as d, t.*, *", "SELECT a AS b, c AS d, t.*, *"),
        ("SELECT DISTINCT a FROM t WHERE b GROUP BY a HAVING c QUALIFY d", ""),
        ("SELECT ALL a FROM t", ""),
        (
            "SELECT /*+ A, B(c, d), E('k' = 'v', l = 'w'), F(1, 'x') */ a FROM t /*+ OPTIONS('x' = 'y') */ AS u",
            "",
        ),
        ("SELECT a FROM t GROUP BY ()", ""),
        (
            "SELECT a FROM t GROUP BY DISTINCT ROLLUP (a, (b, c)), GROUPING SETS ((a), (), CUBE (b))",
            "SELECT a FROM t GROUP BY DISTINCT ROLLUP (a, (b, c)), GROUPING SETS (a, (), CUBE (b))",
        ),
        ("SELECT a FROM t WINDOW w AS (PARTITION BY b), v AS (w ORDER BY c)", ""),
        (
            "SELECT a FROM t ORDER BY a, b DESC NULLS LAST, c ASC NULLS FIRST",
            "SELECT a FROM t ORDER BY a, b DESC NULLS LAST, c NULLS FIRST",
        ),
        ("SELECT a FROM t LIMIT 5", ""),
        ("SELECT a FROM t LIMIT 5 OFFSET 2 ROWS", "SELECT a FROM t LIMIT 5 OFFSET 2"),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
        ("SELECT a FROM t OFFSET 2 ROW FETCH NEXT 5 ROWS ONLY", "SELECT a FROM t LIMIT 5 OFFSET 2"),
        ("SELECT a FROM t OFFSET 2 ROWS", ""),
        ("WITH a AS (SELECT 1), b (c, d) AS (VALUES (1, 2)) SELECT * FROM a, b ORDER BY 1", ""),
        ("WITH RECURSIVE a AS (SELECT 1) TABLE a", ""),
    ]);
}

#[test]
fn set_operations() {
    statements(&[
        ("SELECT 1 UNION SELECT 2 UNION ALL SELECT 3 EXCEPT SELECT 4", ""),
        (
            "SELECT 1 UNION DISTINCT SELECT 2 INTERSECT ALL SELECT 3",
            "SELECT 1 UNION SELECT 2 INTERSECT ALL SELECT 3",
        ),
        ("(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3", ""),
        ("SELECT 1 UNION (SELECT 2 ORDER BY 1) ORDER BY 2", ""),
        ("((SELECT 1))", "SELECT 1"),
        ("(SELECT 1 LIMIT 1) LIMIT 2", ""),
        (
            "VALUES (1, 'a'), ROW(2, DEFAULT), (ROW(3, 'c')), 4",
            "VALUES (1, 'a'), (2, DEFAULT), (3, 'c'), (4)",
        ),
        ("VALUES ROW(ROW(1, 2))", ""),
        ("TABLE a.b", ""),
        ("SELECT (SELECT 1, 2), ((SELECT 1) UNION (SELECT 2)) + 1", ""),
    ]);
}

#[test]
fn tables() {
    statements(&[
        ("SELECT * FROM a.b.c AS t (x, y), u", ""),
        (
            "SELECT * FROM a JOIN b ON x = y LEFT OUTER JOIN c USING (d, e) CROSS JOIN f",
            "SELECT * FROM a JOIN b ON x = y LEFT JOIN c USING (d, e) CROSS JOIN f",
        ),
        ("SELECT * FROM a NATURAL FULL JOIN b RIGHT JOIN c ON TRUE", ""),
        ("SELECT * FROM (a JOIN b ON x) JOIN c ON y", ""),
        ("SELECT * FROM ((a JOIN b ON x))", "SELECT * FROM (a JOIN b ON x)"),
        ("SELECT * FROM a, LATERAL TABLE(f(a.x)) AS t (y)", ""),
        ("SELECT * FROM a LEFT JOIN LATERAL (SELECT a.x) ON TRUE", ""),
        ("SELECT * FROM a CROSS JOIN UNNEST(a.b, c) WITH ORDINALITY AS t (x, n)", ""),
        ("SELECT * FROM LATERAL UNNEST(SELECT 1)", "SELECT * FROM UNNEST((SELECT 1))"),
        ("SELECT * FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)", ""),
        ("SELECT * FROM TABLE(HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts))) AS w", ""),
        ("SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c", ""),
        ("SELECT * FROM t TABLESAMPLE BERNOULLI (10.5) REPEATABLE (-3)", ""),
        ("SELECT * FROM t AS u TABLESAMPLE SUBSTITUTE ('s')", ""),
        ("SELECT * FROM t (a INT, b STRING)", "SELECT * FROM t EXTEND (a INT, b STRING)"),
        ("SELECT * FROM f(MODEL m, a FORMAT JSON)", ""),
        ("SELECT * FROM t PIVOT (SUM(a) AS s, COUNT(*) FOR (b, c) IN ((1, 2) AS x, (3, 4))) AS p", ""),
        (
            "SELECT * FROM t PIVOT (SUM(a) FOR b IN (1, 2 AS y))",
            "SELECT * FROM t PIVOT (SUM(a) FOR b IN ((1), (2) AS y))",
        ),
        ("SELECT * FROM t UNPIVOT INCLUDE NULLS ((a, b) FOR c IN ((d, e) AS ('x'), (f, g)))", ""),
        ("SELECT * FROM (VALUES (1)) AS t (a)", ""),
        ("SELECT * FROM (TABLE t)", ""),
        ("SELECT * FROM ((SELECT 1) UNION (SELECT 2)) AS u", ""),
        ("SELECT * FROM ((SELECT 1) AS a JOIN b ON TRUE)", ""),
    ]);
}

/// Pelton's own: Flink 2.3 reads ASOF before JOIN as an alias, and so does Pelton where it is one.
#[test]
fn asof_joins() {
    statements(&[
        (
            "SELECT * FROM a ASOF JOIN b MATCH_CONDITION a.t >= b.t ON a.k = b.k",
            "SELECT * FROM a ASOF JOIN b MATCH_CONDITION (a.t >= b.t) ON a.k = b.k",
        ),
        ("SELECT * FROM a AS x LEFT ASOF JOIN b AS y MATCH_CONDITION (x.t >= y.t) USING (k)", ""),
        ("SELECT * FROM a ASOF JOIN b ON x", "SELECT * FROM a AS ASOF JOIN b ON x"),
    ]);
}

#[test]
fn what_is_no_query() {
    refused(&[
        ("SELECT", "", "expected an expression, found the end of the text"),
        (
            "SELECT a, FROM t",
            "FROM",
            "expected an expression, found the reserved word FROM / take away the comma before it",
        ),
        (
            "SELECT 1 WHERE TRUE",
            "WHERE",
            "expected AS, ',', FROM, INTERSECT, UNION, EXCEPT, ORDER, LIMIT, OFFSET, FETCH or the end of the statement, found the reserved word WHERE",
        ),
        (
            "SELECT 1 'x'",
            "'x'",
            "expected AS or an alias, found the string 'x' / a name stands in back quotes: `x`",
        ),
        (
            "SELECT 1 MINUS SELECT 2",
            "MINUS",
            "expected AS, ',', FROM, INTERSECT, UNION or EXCEPT, found the reserved word MINUS / write EXCEPT instead of MINUS",
        ),
        ("SELECT 1 UNION 2", "2", "expected a query, found the number 2"),
        ("SELECT a FROM t LIMIT 3, 4", ",", "',' does not fit here / write LIMIT count OFFSET start"),
        (
            "SELECT a FROM t OFFSET 3 LIMIT 4",
            "LIMIT",
            "the reserved word LIMIT does not fit here / write LIMIT before OFFSET",
        ),
        ("SELECT a FROM t LIMIT 1 + 1", "+", "expected OFFSET or the end of the statement, found '+'"),
        (
            "SELECT * FROM (t)",
            "t",
            "parentheses in FROM hold a query or a join, not a single table / take the parentheses away",
        ),
        (
            "SELECT * FROM (a, b)",
            ",",
            "expected FOR, MATCH_RECOGNIZE, AS, JOIN, INNER, LEFT, RIGHT, FULL or CROSS, found ',' / only FROM itself lists tables with commas; here write CROSS JOIN",
        ),
        (
            "SELECT * FROM (a JOIN b ON x) AS c",
            "(a JOIN b ON x) AS c",
            "nothing can be said of a join in parentheses, not even an alias / put it into a query: (SELECT * FROM a JOIN b ON …) AS x",
        ),
        (
            "SELECT * FROM a CROSS APPLY f(x)",
            "APPLY",
            "expected JOIN, found 'APPLY' / write JOIN LATERAL TABLE(…) instead of APPLY",
        ),
        ("SELECT * FROM t AS x FOR SYSTEM_TIME AS OF y", "FOR", "the reserved word FOR does not fit here"),
        ("SELECT * FROM t WHERE a GROUP b", "b", "expected BY, found 'b'"),
        ("1 + 1", "1", "expected ';' or a statement, found the number 1"),
    ]);
}
