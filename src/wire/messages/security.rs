//! Messages of idempotent producers (KIP-98, KIP-360) and of authentication (KIP-43, KIP-152).

use bytes::Bytes;

use crate::wire::message::messages;

messages! {
    /// Versions 0 to 5.
    struct InitProducerIdRequest {
        /// The transactional id, or null if the producer is not transactional.
        transactional_id: Option<String> = 0;
        /// The time in ms to wait before aborting idle transactions sent by this producer.
        transaction_timeout_ms: i32 = 0;
        /// The producer id.
        producer_id: i64 = 3 else -1;
        /// The producer's current epoch.
        producer_epoch: i16 = 3 else -1;
    }

    /// Versions 0 to 5.
    struct InitProducerIdResponse {
        /// Always 0: there are no quotas.
        throttle_time_ms: i32 = 0;
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The current producer id.
        producer_id: i64 = 0 else -1;
        /// The current epoch associated with the producer id.
        producer_epoch: i16 = 0;
    }

    /// Versions 0 to 1.
    struct SaslHandshakeRequest {
        /// The SASL mechanism chosen by the client.
        mechanism: String = 0;
    }

    /// Versions 0 to 1.
    struct SaslHandshakeResponse {
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The mechanisms enabled in the server.
        mechanisms: Vec<String> = 0;
    }

    /// Versions 0 to 2.
    struct SaslAuthenticateRequest {
        /// The SASL authentication bytes from the client, as defined by the SASL mechanism.
        auth_bytes: Bytes = 0;
    }

    /// Versions 0 to 2.
    struct SaslAuthenticateResponse {
        /// The error code, or 0 if there was no error.
        error_code: i16 = 0;
        /// The error message, or null if there was no error.
        error_message: Option<String> = 0;
        /// The SASL authentication bytes from the server, as defined by the SASL mechanism.
        auth_bytes: Bytes = 0;
        /// Number of milliseconds after which only re-authentication over the existing …
        session_lifetime_ms: i64 = 1;
    }
}
