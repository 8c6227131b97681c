//! SASL: who may come in. Placeholder until the mechanisms follow.

use super::connection::Ticket;
use super::{Broker, code};
use crate::wire::messages::security::*;

/// Users and their secrets.
#[derive(Clone, Debug, Default)]
pub struct Credentials;

#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) is_done: bool,
}

impl Broker {
    pub(super) fn sasl_handshake(&mut self, t: Ticket, _request: SaslHandshakeRequest) {
        let response =
            SaslHandshakeResponse { error_code: code::UNSUPPORTED_SASL_MECHANISM, mechanisms: vec![] };
        self.reply(t, &response);
    }

    pub(super) fn sasl_authenticate(&mut self, t: Ticket, _request: SaslAuthenticateRequest) {
        let error_code = code::ILLEGAL_SASL_STATE;
        self.reply(t, &SaslAuthenticateResponse { error_code, ..SaslAuthenticateResponse::default() });
    }
}
