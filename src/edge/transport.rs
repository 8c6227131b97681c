//! The bytes of a connection, plain or under TLS, behind the same non-blocking calls.

use std::io::{self, IoSlice, Read, Write};

use rustls::ServerConnection;

use super::poller::Socket;

pub(super) enum Transport<S> {
    Plain(S),
    Tls(Box<Tls<S>>),
}

pub(super) struct Tls<S> {
    socket: S,
    session: ServerConnection,
}

impl<S: Socket> Transport<S> {
    pub(super) fn tls(socket: S, session: ServerConnection) -> Self {
        Self::Tls(Box::new(Tls { socket, session }))
    }

    pub(super) fn socket(&mut self) -> &mut S {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &mut tls.socket,
        }
    }

    /// After a short read, the socket need not be asked again before it is told ready.
    pub(super) fn is_over_after_short_read(&self) -> bool {
        S::SHORT_READ_IS_LAST && matches!(self, Self::Plain(_))
    }

    /// Reads what is there; 0 is the end, `WouldBlock` nothing yet.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(into),
            Self::Tls(tls) => tls.read(into),
        }
    }

    /// Takes some of `parts`; `WouldBlock` when the socket is full.
    pub(super) fn write(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write_vectored(parts),
            Self::Tls(tls) => {
                // What has been encrypted goes out first: so no more than one buffer of it is ever held.
                tls.send()?;
                let n = tls.session.writer().write_vectored(parts)?;
                match tls.send() {
                    Err(e) if e.kind() != io::ErrorKind::WouldBlock => Err(e),
                    _ => Ok(n),
                }
            }
        }
    }

    /// Sends what TLS itself has to say or still holds. True when something is left.
    pub(super) fn settle(&mut self) -> io::Result<bool> {
        match self {
            Self::Plain(_) => Ok(false),
            Self::Tls(tls) => match tls.send() {
                Ok(()) => Ok(false),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(true),
                Err(e) => Err(e),
            },
        }
    }
}

impl<S: Socket> Tls<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(into) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                // A connection cut without TLS's own goodbye ends like any other: frames tell what is whole.
                Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
                other => return other,
            }
            if self.session.read_tls(&mut self.socket)? == 0 {
                return Ok(0);
            }
            if let Err(e) = self.session.process_new_packets() {
                // The alert tells the client what it did wrong.
                let _ = self.send();
                return Err(io::Error::new(io::ErrorKind::InvalidData, e));
            }
            match self.send() {
                Err(e) if e.kind() != io::ErrorKind::WouldBlock => return Err(e),
                _ => {}
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            if self.session.write_tls(&mut self.socket)? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}
