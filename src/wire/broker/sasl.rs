//! SASL: PLAIN (RFC 4616) and SCRAM-SHA-256/512 (RFC 5802, RFC 7677), with the framing of KIP-152.
//!
//! Only what SCRAM needs is kept of a password: salt, iterations, stored key and server key, for both hashes. PLAIN is
//! checked against the same keys. A name that is not known goes through the same exchange with keys that fit nothing, so
//! that nobody learns which names exist. One failed attempt ends the connection.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use bytes::Bytes;
use ring::{digest, hmac, pbkdf2};

use super::connection::Ticket;
use super::{Broker, code};
use crate::wire::messages::security::*;

/// Kafka's default, and the least that RFC 7677 asks for.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).expect("not zero");
/// Longest message of an exchange.
const MAX_MESSAGE_BYTES: usize = 4_096;

/// A mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mechanism {
    Plain,
    Scram256,
    Scram512,
}

const MECHANISMS: [(&str, Mechanism); 3] = [
    ("PLAIN", Mechanism::Plain),
    ("SCRAM-SHA-256", Mechanism::Scram256),
    ("SCRAM-SHA-512", Mechanism::Scram512),
];

impl Mechanism {
    fn hash(self) -> (&'static digest::Algorithm, hmac::Algorithm, pbkdf2::Algorithm) {
        match self {
            Self::Scram512 => (&digest::SHA512, hmac::HMAC_SHA512, pbkdf2::PBKDF2_HMAC_SHA512),
            _ => (&digest::SHA256, hmac::HMAC_SHA256, pbkdf2::PBKDF2_HMAC_SHA256),
        }
    }
}

/// What is kept of a password for one hash.
#[derive(Clone)]
struct Keys {
    salt: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

impl Keys {
    fn of(password: &[u8], salt: Vec<u8>, mechanism: Mechanism) -> Self {
        let (sha, mac, kdf) = mechanism.hash();
        let mut salted = vec![0; sha.output_len()];
        pbkdf2::derive(kdf, ITERATIONS, &salt, password, &mut salted);
        let key = hmac::Key::new(mac, &salted);
        let client = hmac::sign(&key, b"Client Key");
        Self {
            salt,
            stored: digest::digest(sha, client.as_ref()).as_ref().to_vec(),
            server: hmac::sign(&key, b"Server Key").as_ref().to_vec(),
        }
    }
}

/// Users and what is kept of their passwords.
#[derive(Clone, Default)]
pub struct Credentials {
    users: BTreeMap<String, [Keys; 2]>,
    /// Makes nonces, and salts for names that do not exist.
    secret: Vec<u8>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.users.keys()).finish()
    }
}

impl Credentials {
    /// Nobody yet. `secret` is 32 random bytes or more.
    pub fn new(secret: &[u8]) -> Self {
        Self { users: BTreeMap::new(), secret: secret.to_vec() }
    }

    /// Adds or replaces a user.
    pub fn add(&mut self, name: &str, password: &str) {
        let keys = |mechanism| Keys::of(password.as_bytes(), self.salt(name), mechanism);
        let both = [keys(Mechanism::Scram256), keys(Mechanism::Scram512)];
        self.users.insert(name.to_owned(), both);
    }

    /// How many users there are.
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    fn sign(&self, purpose: &str, about: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.secret));
        context.update(purpose.as_bytes());
        context.update(about);
        context.sign().as_ref().to_vec()
    }

    fn salt(&self, name: &str) -> Vec<u8> {
        self.sign("salt", name.as_bytes())[..16].to_vec()
    }

    /// The keys of a user, or ones that no proof fits.
    fn keys(&self, name: &str, mechanism: Mechanism) -> (Keys, bool) {
        let place = usize::from(mechanism == Mechanism::Scram512);
        match self.users.get(name) {
            Some(both) => (both[place].clone(), true),
            None => {
                let n = mechanism.hash().0.output_len();
                (Keys { salt: self.salt(name), stored: vec![0; n], server: vec![0; n] }, false)
            }
        }
    }

    fn is_password(&self, name: &str, password: &[u8]) -> bool {
        let (keys, is_known) = self.keys(name, Mechanism::Scram256);
        let given = Keys::of(password, keys.salt.clone(), Mechanism::Scram256);
        is_equal(&given.stored, &keys.stored) && is_known
    }
}

/// Takes as long for equal as for different bytes.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0
}

/// Where a connection stands.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// It may ask for everything.
    pub(super) is_done: bool,
    /// As whom.
    pub(super) user: String,
    step: Step,
}

#[derive(Debug, Default)]
enum Step {
    #[default]
    Idle,
    Chosen(Mechanism),
    Challenged(Challenge),
}

#[derive(Debug)]
struct Challenge {
    mechanism: Mechanism,
    user: String,
    /// Base64 of the client's first header, which its last message repeats.
    binding: String,
    nonce: String,
    /// client-first-bare "," server-first
    messages: String,
}

/// What a message of the exchange leads to.
enum Outcome {
    Challenge(Bytes, Box<Challenge>),
    Done(Bytes, String),
    Failed,
}

impl Broker {
    pub(super) fn sasl_handshake(&mut self, t: Ticket, request: SaslHandshakeRequest) {
        let chosen = MECHANISMS.iter().find(|(name, _)| *name == request.mechanism).map(|(_, m)| *m);
        let Some(connection) = self.connections.get_mut(&t.connection) else { return };
        let error_code = match chosen {
            _ if !connection.peer.must_authenticate || connection.sasl.is_done => code::ILLEGAL_SASL_STATE,
            None => code::UNSUPPORTED_SASL_MECHANISM,
            Some(mechanism) => {
                connection.sasl.step = Step::Chosen(mechanism);
                code::NONE
            }
        };
        let mechanisms = MECHANISMS.iter().map(|(name, _)| (*name).to_owned()).collect();
        self.reply(t, &SaslHandshakeResponse { error_code, mechanisms });
    }

    pub(super) fn sasl_authenticate(&mut self, t: Ticket, request: SaslAuthenticateRequest) {
        let nonce = self.random().to_be_bytes();
        let Some(connection) = self.connections.get_mut(&t.connection) else { return };
        let credentials = &self.config.credentials;
        let message = &request.auth_bytes[..];
        let outcome = if message.len() > MAX_MESSAGE_BYTES {
            Outcome::Failed
        } else {
            match std::mem::take(&mut connection.sasl.step) {
                Step::Idle => {
                    let error_code = code::ILLEGAL_SASL_STATE;
                    let error_message = Some("SaslHandshake comes first".into());
                    self.reply(
                        t,
                        &SaslAuthenticateResponse { error_code, error_message, ..Default::default() },
                    );
                    return;
                }
                Step::Chosen(Mechanism::Plain) => plain(credentials, message),
                Step::Chosen(mechanism) => first(credentials, mechanism, message, &nonce),
                Step::Challenged(challenge) => last(credentials, &challenge, message),
            }
        };
        let response = match outcome {
            Outcome::Challenge(auth_bytes, challenge) => {
                connection.sasl.step = Step::Challenged(*challenge);
                SaslAuthenticateResponse { auth_bytes, ..Default::default() }
            }
            Outcome::Done(auth_bytes, user) => {
                connection.sasl.is_done = true;
                connection.sasl.user = user;
                SaslAuthenticateResponse { auth_bytes, ..Default::default() }
            }
            Outcome::Failed => {
                self.out.close(t.connection, "authentication failed".into());
                SaslAuthenticateResponse {
                    error_code: code::SASL_AUTHENTICATION_FAILED,
                    error_message: Some("Authentication failed: wrong user name or password".into()),
                    ..Default::default()
                }
            }
        };
        self.reply(t, &response);
    }
}

/// authorisation id NUL user NUL password
fn plain(credentials: &Credentials, message: &[u8]) -> Outcome {
    let mut parts = message.split(|b| *b == 0);
    let (Some(acting_as), Some(user), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Outcome::Failed;
    };
    let Ok(user) = std::str::from_utf8(user) else { return Outcome::Failed };
    let is_self = acting_as.is_empty() || acting_as == user.as_bytes();
    if credentials.is_password(user, password) && is_self {
        Outcome::Done(Bytes::new(), user.to_owned())
    } else {
        Outcome::Failed
    }
}

/// `n,,n=user,r=nonce` → `r=nonce+ours,s=salt,i=iterations`
fn first(credentials: &Credentials, mechanism: Mechanism, message: &[u8], random: &[u8]) -> Outcome {
    let parsed = || {
        let text = std::str::from_utf8(message).ok()?;
        // Channel binding is not offered; "y" says that the client would have liked it.
        let rest = text.strip_prefix("n,").or_else(|| text.strip_prefix("y,"))?;
        let (acting_as, bare) = rest.split_once(',')?;
        let header = &text[..text.len() - bare.len()];
        let mut fields = bare.split(',');
        let user = fields.next()?.strip_prefix("n=")?.replace("=2C", ",").replace("=3D", "=");
        let nonce = fields.next()?.strip_prefix("r=")?;
        let acts_as_self = acting_as.is_empty() || acting_as.strip_prefix("a=") == Some(user.as_str());
        (!nonce.is_empty() && acts_as_self).then(|| (header, bare, user.clone(), nonce))
    };
    let Some((header, bare, user, nonce)) = parsed() else { return Outcome::Failed };
    let nonce = format!("{nonce}{}", encode(&credentials.sign("nonce", random)[..24]));
    let (keys, _) = credentials.keys(&user, mechanism);
    let challenge = format!("r={nonce},s={},i={ITERATIONS}", encode(&keys.salt));
    let messages = format!("{bare},{challenge}");
    let binding = encode(header.as_bytes());
    Outcome::Challenge(challenge.into(), Box::new(Challenge { mechanism, user, binding, nonce, messages }))
}

/// `c=header,r=nonce,p=proof` → `v=signature`
fn last(credentials: &Credentials, challenge: &Challenge, message: &[u8]) -> Outcome {
    let parsed = || {
        let text = std::str::from_utf8(message).ok()?;
        let (without_proof, proof) = text.rsplit_once(",p=")?;
        let mut fields = without_proof.split(',');
        let is_ours = fields.next()?.strip_prefix("c=")? == challenge.binding
            && fields.next()?.strip_prefix("r=")? == challenge.nonce;
        is_ours.then_some((without_proof, decode(proof)?))
    };
    let Some((without_proof, proof)) = parsed() else { return Outcome::Failed };
    let (sha, mac, _) = challenge.mechanism.hash();
    let (keys, is_known) = credentials.keys(&challenge.user, challenge.mechanism);
    let signed = format!("{},{without_proof}", challenge.messages);
    let signature = hmac::sign(&hmac::Key::new(mac, &keys.stored), signed.as_bytes());
    if proof.len() != signature.as_ref().len() {
        return Outcome::Failed;
    }
    let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(p, s)| p ^ s).collect();
    if !is_equal(digest::digest(sha, &client_key).as_ref(), &keys.stored) || !is_known {
        return Outcome::Failed;
    }
    let answer = hmac::sign(&hmac::Key::new(mac, &keys.server), signed.as_bytes());
    Outcome::Done(format!("v={}", encode(answer.as_ref())).into(), challenge.user.clone())
}

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0u32, |all, (i, b)| all | u32::from(*b) << (16 - 8 * i));
        for i in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * i) & 63) as usize];
            out.push(if i <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.chunks(4) {
        let mut bits = 0u32;
        for (i, letter) in chunk.iter().enumerate() {
            let value = LETTERS.iter().position(|l| l == letter)? as u32;
            bits |= value << (18 - 6 * i);
        }
        let bytes = bits.to_be_bytes();
        match chunk.len() {
            4 => out.extend_from_slice(&bytes[1..4]),
            3 => out.extend_from_slice(&bytes[1..3]),
            2 => out.push(bytes[1]),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_the_usual_one() {
        for (plain, packed) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(encode(plain.as_bytes()), packed);
            assert_eq!(decode(packed).unwrap(), plain.as_bytes());
        }
        assert_eq!(decode("a"), None);
        assert_eq!(decode("a*=="), None);
    }

    /// The example of RFC 7677, section 3, from the client's side: our keys verify its proof.
    #[test]
    fn the_example_of_the_rfc_verifies() {
        let salt = decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let keys = Keys::of(b"pencil", salt, Mechanism::Scram256);
        let mut credentials = Credentials::new(b"secret");
        credentials.users.insert("user".into(), [keys.clone(), keys]);
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = Challenge {
            mechanism: Mechanism::Scram256,
            user: "user".into(),
            binding: "biws".into(),
            nonce: nonce.into(),
            messages: format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        };
        let message = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let Outcome::Done(answer, user) = last(&credentials, &challenge, message.as_bytes()) else {
            panic!("the proof is right")
        };
        assert_eq!(
            (&answer[..], user.as_str()),
            (&b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="[..], "user")
        );
        let wrong = message.replace("dHz", "dHa");
        assert!(matches!(last(&credentials, &challenge, wrong.as_bytes()), Outcome::Failed));
    }

    #[test]
    fn plain_wants_name_and_password() {
        let mut credentials = Credentials::new(b"secret");
        credentials.add("bob", "builder");
        let works = |message: &[u8]| matches!(plain(&credentials, message), Outcome::Done(..));
        assert!(works(b"\0bob\0builder") && works(b"bob\0bob\0builder"));
        for wrong in
            [&b"\0bob\0x"[..], b"\0eve\0builder", b"eve\0bob\0builder", b"bob", b"\0bob\0builder\0", b""]
        {
            assert!(!works(wrong), "{wrong:?}");
        }
    }
}
