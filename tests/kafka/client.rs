//! A blocking client for tests, over the `kafka-protocol` crate: an implementation that is not ours.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    correlation: i32,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, correlation: 0 }
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request);
        self.read::<R>(version)
    }

    pub(crate) fn send<R: Request>(&mut self, version: i16, request: &R) {
        let bytes = self.encode(version, request);
        self.socket.write_all(&bytes).unwrap();
    }

    /// The bytes of a request, with their length before them.
    pub(crate) fn encode<R: Request>(&mut self, version: i16, request: &R) -> Vec<u8> {
        self.correlation += 1;
        let mut frame = BytesMut::new();
        let mut header = RequestHeader::default();
        header.request_api_key = R::KEY;
        header.request_api_version = version;
        header.correlation_id = self.correlation;
        header.client_id = Some(StrBytes::from_static_str("test"));
        header.encode(&mut frame, <R as HeaderVersion>::header_version(version)).unwrap();
        request.encode(&mut frame, version).unwrap();
        [&(frame.len() as i32).to_be_bytes()[..], &frame].concat()
    }

    pub(crate) fn read<R: Request>(&mut self, version: i16) -> R::Response {
        let mut bytes = self.frame().expect("an answer");
        let header_version = <R::Response as HeaderVersion>::header_version(version);
        let header = ResponseHeader::decode(&mut bytes, header_version).unwrap();
        assert_eq!(header.correlation_id, self.correlation);
        let response = R::Response::decode(&mut bytes, version).unwrap();
        assert!(bytes.is_empty());
        response
    }

    /// The next frame, `None` when the broker has closed.
    pub(crate) fn frame(&mut self) -> Option<Bytes> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).ok()?;
        let mut frame = vec![0; i32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut frame).ok()?;
        Some(frame.into())
    }
}
