// SPDX-License-Identifier: Apache-2.0
// What peers send us before and around datasets: association PDUs of both directions, command sets, reports of storage
// commitment. The first byte says which; what was read is written again and must be read as the same.
#include "fuzz/seeds.hpp"
#include "net/command.hpp"
#include "net/commitment.hpp"
#include "net/pdu.hpp"

#include <cstdlib>
#include <iostream>

namespace waybill::test {

namespace {

std::string seed(char kind, const Bytes& bytes, std::size_t skip = 0) {
  return kind + std::string(as_text(ByteView(bytes).subspan(skip)));
}

Bytes report(bool explicit_vr) {
  Bytes out =
      net::encode_commitment("2.25.1", {{"1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"}, {"1.2", "1.2.3.5"}}, explicit_vr);
  const Bytes more = net::encode_commitment("2.25.1", {{"1.2", "1.2.3.6"}}, explicit_vr);
  put_bytes(out, more);
  return out;
}

}  // namespace

std::vector<std::string> dimse_seeds() {
  const Bytes request = net::encode_request(
      "CALLED", "CALLING", {{"1.2.3", "1.2.840.10008.1.2"}, {"1.2.4", "1.2", true}}, net::AskLevel::yes);
  const auto asked = net::parse_request(ByteView(request).subspan(net::kPduHead));
  const Bytes accept = net::encode_accept(*asked, {{1, "1.2.840.10008.1.2"}});
  const Bytes command = net::Command::make(0x8001, false)
                            .set(net::field::kAffectedClass, "1.2.840.10008.5.1.4.1.1.7")
                            .set(net::field::kRespondedTo, std::uint16_t{1})
                            .set(net::field::kStatus, std::uint16_t{0xB000})
                            .set(net::field::kOffending, std::string_view("\x10\0\x20\0", 4))
                            .encode();
  return {seed('\0', request, net::kPduHead), seed('\1', accept, net::kPduHead), seed('\2', command),
          seed('\3', report(false)), seed('\4', report(true))};
}

}  // namespace waybill::test

namespace {

using namespace waybill;

void check(bool holds, const char* what) {
  if (holds) return;
  std::cerr << "dimse_target: " << what << std::endl;
  std::abort();
}

void read_request(ByteView bytes) {
  const auto asked = net::parse_request(bytes);
  if (!asked) return;
  check(asked->contexts.size() <= net::kMaxContexts, "more contexts than ids");
  const Bytes accept = net::encode_accept(*asked, {});
  (void)net::parse_accept(ByteView(accept).subspan(net::kPduHead));
}

void read_command(ByteView bytes) {
  const auto command = net::Command::parse(bytes);
  if (!command) return;
  const Bytes again = command->encode();
  const auto twice = net::Command::parse(again);
  check(twice.has_value() && twice->encode() == again, "a command set that is another after it was written");
  (void)command->tags(net::field::kOffending);
  (void)command->text(net::field::kErrorComment);
}

void read_report(ByteView bytes, std::string_view syntax) {
  const auto report = net::parse_commitment(bytes, syntax);
  if (!report) return;
  check(!report->transaction.empty(), "a report without a transaction");
  check(report->committed.size() + report->failed.size() <= bytes.size() / 8, "more references than bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  switch (data[0] % 5) {
    case 0: read_request(bytes); break;
    case 1:
      (void)net::parse_accept(bytes);
      (void)net::parse_reject(bytes);
      (void)net::abort_reason(bytes);
      break;
    case 2: read_command(bytes); break;
    case 3: read_report(bytes, net::kImplicitLittle); break;
    default: read_report(bytes, net::kExplicitLittle); break;
  }
  return 0;
}
