//! MD5 and the SHA family: digests as lower-case hexadecimal text.

use crate::batch::{ColumnData, TypeKind};
use crate::error::{Error, Result};
use crate::expr::RowError;
use crate::expr::function::{BoundFunction, Call, FunctionDoc, Registry};
use crate::expr::kernels::text::{build, try_build};
use crate::expr::kernels::{fallible, infallible};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

pub(super) fn register(r: &mut Registry) {
    let mut add = |names, text, examples, bind| {
        r.builtin(FunctionDoc { names, family: "hash", signatures: &["text"], text, examples }, bind);
    };
    add(
        &["MD5"],
        "The MD5 digest in hexadecimal.",
        &[("MD5('abc')", "900150983cd24fb0d6963f7d28e17f72")],
        |c| digest(c, TypeKind::Char(32), hex_digest::<Md5>),
    );
    add(
        &["SHA1"],
        "The SHA-1 digest in hexadecimal.",
        &[("SHA1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d")],
        |c| digest(c, TypeKind::Char(40), hex_digest::<Sha1>),
    );
    add(
        &["SHA224"],
        "The SHA-224 digest in hexadecimal.",
        &[("SHA224('abc')", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")],
        |c| digest(c, TypeKind::Char(56), hex_digest::<Sha224>),
    );
    add(
        &["SHA256"],
        "The SHA-256 digest in hexadecimal.",
        &[("SHA256('abc')", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")],
        |c| digest(c, TypeKind::Char(64), hex_digest::<Sha256>),
    );
    add(&["SHA384"], "The SHA-384 digest in hexadecimal.", &[("CHAR_LENGTH(SHA384('abc'))", "96")], |c| {
        digest(c, TypeKind::Char(96), hex_digest::<Sha384>)
    });
    add(&["SHA512"], "The SHA-512 digest in hexadecimal.", &[("CHAR_LENGTH(SHA512('abc'))", "128")], |c| {
        digest(c, TypeKind::Char(128), hex_digest::<Sha512>)
    });
    r.builtin(
        FunctionDoc {
            names: &["SHA2"],
            family: "hash",
            signatures: &["text, bits"],
            text: "The digest of 224, 256, 384 or 512 bits in hexadecimal.",
            examples: &[("SHA2('abc', 224)", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7")],
        },
        sha2,
    );
}

type Write = fn(&[u8], &mut Vec<u8>);

fn hex_digest<D: Digest>(bytes: &[u8], out: &mut Vec<u8>) {
    for b in D::digest(bytes) {
        out.extend(crate::batch::text::hex(b).map(|d| d.to_ascii_lowercase()));
    }
}

fn check(call: &Call<'_>) -> Result<()> {
    let kind = call.kind(0);
    if kind.is_character() || kind.is_binary() || *kind == TypeKind::Null {
        return Ok(());
    }
    Err(call.wrong_types(&["STRING", "BINARY"]))
}

fn digest(call: &Call<'_>, ty: TypeKind, f: Write) -> Result<BoundFunction> {
    call.count(1..=1)?;
    check(call)?;
    Ok(infallible(super::encoding::texts(call), call.result(ty), move |a, sel, _, out| {
        build(a, sel, out, |i, to| {
            f(a[0].bytes(i), to);
            true
        });
    }))
}

fn of_bits(bits: i64) -> Option<Write> {
    Some(match bits {
        224 => hex_digest::<Sha224>,
        256 => hex_digest::<Sha256>,
        384 => hex_digest::<Sha384>,
        512 => hex_digest::<Sha512>,
        _ => return None,
    })
}

fn sha2(call: &Call<'_>) -> Result<BoundFunction> {
    call.count(2..=2)?;
    check(call)?;
    if !call.kind(1).is_integer() && *call.kind(1) != TypeKind::Null {
        return Err(call.wrong_types(&["STRING, INTEGER"]));
    }
    if let Some(bits) = call.literal_integer(1)
        && of_bits(bits).is_none()
    {
        return Err(Error::planning(format!("there is no SHA-2 of {bits} bits"), call.args[1].span)
            .hint("224, 256, 384 or 512"));
    }
    let mut args = super::encoding::texts(call);
    args[1] = call.wanted(1, TypeKind::Int);
    Ok(fallible(args, call.result(TypeKind::VarChar(128)), |a, sel, _, out| {
        try_build(a, sel, out, |i, to| {
            let ColumnData::I32(bits) = &a[1].column.data else { unreachable!("bits are INT") };
            let bits = bits[a[1].at(i)];
            let write = of_bits(bits.into()).ok_or_else(|| {
                RowError::runtime(i, format!("SHA-{bits} is not one of SHA-224, 256, 384 and 512"))
            })?;
            write(a[0].bytes(i), to);
            Ok(true)
        })
    }))
}
