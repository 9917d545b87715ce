// Deterministic CBOR (RFC 8949 §4.2.1), as far as QR forms and COSE receipts have it. The caller says which kind of item it
// wants next; kind comes before argument, argument before length, length before content.

import { ensure } from './errors.js';

export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;
export const SIMPLE = 7;

// Smallest argument that needs so many bytes.
const LEAST = { 1: 24n, 2: 0x100n, 4: 0x1_0000n, 8: 0x1_0000_0000n };

// How a QR form's refusals are called; another format has its own.
const QR = { end: 'qr-cbor-end', form: 'qr-cbor-form', shape: 'qr-shape', trailing: 'qr-cbor-trailing' };

export class CborReader {
  constructor(bytes, codes = QR) {
    this.bytes = bytes;
    this.codes = codes;
    this.at = 0;
  }

  /** The kind of the next item, which is not read yet. */
  peek() {
    ensure(this.at < this.bytes.length, this.codes.end, `after ${this.at} bytes`);
    return this.bytes[this.at] >> 5;
  }

  byte() {
    ensure(this.at < this.bytes.length, this.codes.end, `after ${this.at} bytes`);
    return this.bytes[this.at++];
  }

  /** Kind and argument (BigInt) of the next item, which must be of one of these kinds. */
  item(...kinds) {
    const from = this.at;
    const initial = this.byte();
    const kind = initial >> 5;
    ensure(kinds.includes(kind), this.codes.shape, `kind ${kind} at byte ${from}`);
    return { kind, argument: this.argument(initial & 31) };
  }

  argument(information) {
    if (information < 24) return BigInt(information);
    ensure(information < 28, this.codes.form, `additional information ${information}`);
    const width = 1 << (information - 24);
    let value = 0n;
    for (let i = 0; i < width; i++) value = (value << 8n) | BigInt(this.byte());
    ensure(value >= LEAST[width], this.codes.form, `${value} in ${width} bytes`);
    return value;
  }

  /** A byte string whose length, a BigInt, `fits`. */
  string(fits) {
    return this.content(this.item(BYTES).argument, fits);
  }

  /** The content of a byte string whose length has been read. */
  content(length, fits) {
    ensure(fits(length), this.codes.shape, `byte string of ${length} bytes`);
    ensure(length <= BigInt(this.bytes.length - this.at), this.codes.end, `${length} bytes are not there`);
    const from = this.at;
    this.at += Number(length);
    return this.bytes.subarray(from, this.at);
  }

  /** Refuses anything after the last item. */
  end() {
    ensure(this.at === this.bytes.length, this.codes.trailing, `${this.bytes.length - this.at} bytes`);
  }
}
