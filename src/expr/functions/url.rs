//! URL_ENCODE, URL_DECODE and PARSE_URL, as Java's URLEncoder, URLDecoder and URL see them.

use super::encoding::{make_utf8, texts};
use super::pattern::java_regex;
use crate::batch::{DataType, TypeKind};
use crate::error::Result;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::infallible;
use crate::expr::kernels::text::build;
use regex::Regex;

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, signatures, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "URL", signatures, text, examples }, bind);
    };
    add(
        &["URL_ENCODE"],
        &["text"],
        "The text as `application/x-www-form-urlencoded`.",
        &[("URL_ENCODE('a b/é')", "a+b%2F%C3%A9")],
        |call| {
            check(call, 1..=1)?;
            Ok(infallible(texts(call), TypeKind::STRING.nullable(), |a, sel, _, out| {
                build(a, sel, out, |i, to| {
                    encode(a[0].bytes(i), to);
                    true
                });
            }))
        },
    );
    add(
        &["URL_DECODE"],
        &["text"],
        "The text that was encoded so; NULL for a bad escape.",
        &[("URL_DECODE('a+b%2F%C3%A9')", "a b/é")],
        |call| {
            check(call, 1..=1)?;
            Ok(infallible(texts(call), TypeKind::STRING.nullable(), |a, sel, _, out| {
                build(a, sel, out, |i, to| {
                    let start = to.len();
                    let fine = decode(a[0].bytes(i), to);
                    make_utf8(to, start);
                    fine
                });
            }))
        },
    );
    add(
        &["PARSE_URL"],
        &["url, part", "url, 'QUERY', key"],
        "A part of a URL: PROTOCOL, HOST, PATH, QUERY, REF, FILE, AUTHORITY or USERINFO, or the value of a key of the query. NULL when there is none.",
        &[
            ("PARSE_URL('http://ex.org/p?k=v#f', 'HOST')", "ex.org"),
            ("PARSE_URL('http://ex.org/p?k=v#f', 'QUERY', 'k')", "v"),
        ],
        parse_url,
    );
}

fn check(call: &Call<'_>, count: std::ops::RangeInclusive<usize>) -> Result<()> {
    call.count(count)?;
    if call.args.iter().all(|a| a.ty.kind.is_character() || a.ty.kind == TypeKind::Null) {
        return Ok(());
    }
    Err(call.wrong_types(&["CHARACTER, ..."]))
}

fn encode(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => out.push(b),
            b' ' => out.push(b'+'),
            b => {
                out.push(b'%');
                out.extend_from_slice(&crate::batch::text::hex(b));
            }
        }
    }
}

fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let [b, tail @ ..] = rest {
        rest = tail;
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let digit = |k: usize| tail.get(k).and_then(|d| char::from(*d).to_digit(16));
                let (Some(high), Some(low)) = (digit(0), digit(1)) else { return false };
                out.push((high << 4 | low) as u8);
                rest = &tail[2..];
            }
            b => out.push(*b),
        }
    }
    true
}

/// A URL taken apart.
#[derive(Debug, Default, PartialEq)]
struct Url<'a> {
    protocol: String,
    authority: Option<&'a str>,
    user: Option<&'a str>,
    host: &'a str,
    path: String,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// The protocols that Java has a handler for.
const PROTOCOLS: [&str; 8] = ["http", "https", "ftp", "file", "jar", "mailto", "jmod", "jrt"];

fn split(text: &str) -> Option<Url<'_>> {
    let text = text.trim_matches(|c: char| c <= ' ');
    let text = match text.get(..4) {
        Some(head) if head.eq_ignore_ascii_case("url:") => &text[4..],
        _ => text,
    };
    let colon = text.find([':', '/']).filter(|at| text[*at..].starts_with(':'))?;
    let protocol = text[..colon].to_ascii_lowercase();
    if !PROTOCOLS.contains(&protocol.as_str()) {
        return None;
    }
    let mut url = Url { protocol, ..Url::default() };
    let mut rest = &text[colon + 1..];
    if let Some(at) = rest.find('#') {
        url.fragment = Some(&rest[at + 1..]);
        rest = &rest[..at];
    }
    if let Some(at) = rest.find('?') {
        url.query = Some(&rest[at + 1..]);
        rest = &rest[..at];
    }
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find('/').unwrap_or(after.len());
        let authority = &after[..end];
        url.authority = Some(authority);
        rest = &after[end..];
        url.host = match (authority.find('@'), authority.rfind('@')) {
            (Some(a), Some(b)) if a == b => {
                url.user = Some(&authority[..a]);
                &authority[a + 1..]
            }
            (Some(_), Some(_)) => "",
            _ => authority,
        };
        let (host, port) = match url.host.strip_prefix('[').and_then(|h| h.find(']')) {
            Some(close) => (&url.host[..close + 2], &url.host[close + 2..]),
            None => url.host.split_at(url.host.find(':').unwrap_or(url.host.len())),
        };
        match port.strip_prefix(':') {
            Some("") => {}
            Some(number) if number.parse::<i32>().is_ok_and(|n| n >= -1) => {}
            None if port.is_empty() => {}
            _ => return None,
        }
        url.host = host;
    }
    url.path = normal(rest);
    Some(url)
}

/// A path without `.` and `..` in its middle.
fn normal(path: &str) -> String {
    let mut path = path.to_string();
    while let Some(at) = path.find("/./") {
        path.replace_range(at..at + 2, "");
    }
    let mut from = 0;
    while let Some(at) = path[from..].find("/../").map(|at| at + from) {
        match path[..at].rfind('/') {
            Some(before) if at > 0 && path[before..].find("/../") != Some(0) => {
                path.replace_range(before..at + 3, "");
                from = 0;
            }
            _ => from = at + 3,
        }
    }
    while path.ends_with("/..") {
        match path[..path.len() - 3].rfind('/') {
            Some(before) => path.truncate(before + 1),
            None => break,
        }
    }
    if path.starts_with("./") && path.len() > 2 {
        path.replace_range(..2, "");
    }
    if path.ends_with("/.") {
        path.pop();
    }
    path
}

fn parse_url(call: &Call<'_>) -> Result<BoundFunction> {
    check(call, 2..=3)?;
    let ty: DataType = TypeKind::STRING.nullable();
    Ok(infallible(texts(call), ty, |a, sel, _, out| {
        let mut key: Option<(Vec<u8>, Option<Regex>)> = None;
        build(a, sel, out, |i, to| {
            let text = String::from_utf8_lossy(a[0].bytes(i));
            let Some(url) = split(&text) else { return false };
            let part = a[1].bytes(i);
            let found = if a.len() == 3 {
                if part != b"QUERY" {
                    return false;
                }
                let wanted = a[2].bytes(i);
                if key.as_ref().is_none_or(|k| k.0 != wanted) {
                    let pattern = format!("(&|^){}=([^&]*)", String::from_utf8_lossy(wanted));
                    key = Some((wanted.to_vec(), java_regex(&pattern).ok()));
                }
                let regex = key.as_ref().and_then(|k| k.1.as_ref());
                let captures = regex.and_then(|r| r.captures(url.query?));
                captures.and_then(|c| c.get(2)).map(|m| m.as_str())
            } else {
                match part {
                    b"PROTOCOL" => Some(url.protocol.as_str()),
                    b"HOST" => Some(url.host),
                    b"PATH" => Some(url.path.as_str()),
                    b"QUERY" => url.query,
                    b"REF" => url.fragment,
                    b"AUTHORITY" => url.authority,
                    b"USERINFO" => url.user,
                    b"FILE" => {
                        to.extend_from_slice(url.path.as_bytes());
                        if let Some(query) = url.query {
                            to.push(b'?');
                            to.extend_from_slice(query.as_bytes());
                        }
                        return true;
                    }
                    _ => None,
                }
            };
            found.map(|f| to.extend_from_slice(f.as_bytes())).is_some()
        });
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart_as_in_java() {
        let u = split(" http://user:pw@ex.org:80/p/./a/../b?k=v%201&z=2#frag ").unwrap();
        assert_eq!((u.host, u.path.as_str(), u.user), ("ex.org", "/p/b", Some("user:pw")));
        assert_eq!((u.query, u.fragment), (Some("k=v%201&z=2"), Some("frag")));
        assert_eq!(split("http://[::1]:80/b").unwrap().host, "[::1]");
        assert_eq!(split("HTTP://EX.org/a").unwrap().protocol, "http");
        assert_eq!(split("jar:file:/a!/b").unwrap().path, "file:/a!/b");
        assert_eq!(split("http:/a/b").unwrap().host, "");
        assert_eq!(split("http://ex.org?x=1").unwrap().query, Some("x=1"));
        for bad in ["foo://x", "no url", "http://a:xx/b", "", "/a:b"] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
