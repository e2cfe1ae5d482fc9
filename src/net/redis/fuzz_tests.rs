//! Answers of a Redis server that may be anything.

use super::resp::RespReader;

/// Answers, one after the other, until one is broken or not whole.
pub fn resp(data: &[u8]) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let (mut reader, mut stream) = (RespReader::default(), data);
    runtime.block_on(async {
        while let Ok(_value) = reader.read(&mut stream).await {
            if stream.is_empty() && !reader.has_rest() {
                break;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_answers_are_read() {
        let good: [&[u8]; 3] =
            [b"+OK\r\n:7\r\n", b"*3\r\n*2\r\n*0\r\n$1\r\nx\r\n:3\r\n$-1\r\n", b"-MOVED 1 127.0.0.1:7000\r\n"];
        break_each(&good, super::resp);
    }
}
