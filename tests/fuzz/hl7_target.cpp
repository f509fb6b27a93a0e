// SPDX-License-Identifier: Apache-2.0
// Reads messages, batches and MLLP captures: every message accounted for, all text UTF-8, and the same pieces however
// the bytes are cut into chunks. driver.cpp mutates them by what HL7 is made of.
#include "core/text.hpp"
#include "fuzz/seeds.hpp"
#include "hl7/escape.hpp"
#include "hl7/intake.hpp"

#include <cstdlib>
#include <iostream>
#include <random>

namespace waybill::test {

std::vector<std::string> hl7_seeds() {
  const std::string head = "MSH|^~\\&|APP|FAC|RIS|H|20240102030405+0100||";
  const std::string pid = "\rPID|1|X1|4711^^^HOSP&1.2&ISO^MR~99^^^MPI||M\\XFC\\ller^Eva^^Dr^^^L~A^B^^^^^M||19700304|F";
  return {head + "ADT^A40^ADT_A39|1|P|2.5||||||8859/1" + pid + "\rMRG|4712^^^HOSP^MR|||8\r",
          "\x0B" + head + "ORM^O01|2|P|2.3||||||~ISO IR87" + pid +
              "\rNTE|1||\x1B$B;3ED\x1B(B\rORC|NW|P1|F1\rOBR|1|P1|F1|CT^Head|||20240102||||||||||ACC1|||||CT\rZDS|1.2.3^"
              "^^DICOM\r\x1C\r",
          "FHS|^~\\&\rBHS|^~\\&\r\n" + head + "ADT^A01|3|P|2.5||||||UNICODE UTF-8" + pid + "\r\n" + head +
              "ORU^R01|4|P|2.5" + pid + "\rOBX|1|TX|N||a\\.br\\b\\M2442\\;3\\C2842\\\nnext line\rBTS|2\rFTS|1\r",
          "\xEF\xBB\xBFMSH@~&#\\@A@B@@@20240101@@SIU~S12@5@P@2.5\rPID@1@@7\r",
          head + "OMI^O23|6|P|2.5||||||BIG-5\rPID|1||7||\xA5\x5C\xBB\x5C^X\rIPC|ACC|RP|1.2.3|SPS|MR\r"};
}

std::string mutate_hl7(const std::vector<std::string>& from, std::mt19937_64& random) {
  static constexpr std::string_view kNasty = "|^~\\&\r\n\x0B\x1C\x1B\"@#XCMH0$(B.\x80\xFF";
  std::string s = from[random() % from.size()];
  for (auto n = 1 + random() % 6; n > 0 && !s.empty(); --n) {
    const std::size_t at = random() % s.size();
    switch (random() % 7) {
      case 0: s.resize(at + 1); break;
      case 1: s.erase(at, 1 + random() % 40); break;
      case 2: {
        const std::string& other = from[random() % from.size()];
        s.insert(at, other.substr(random() % other.size(), random() % 200));
        break;
      }
      case 3: s[at] = static_cast<char>(random()); break;
      case 4: s.insert(at, 1, '\0'); break;
      default: s[at] = kNasty[random() % kNasty.size()]; break;
    }
  }
  return s;
}

}  // namespace waybill::test

namespace {

using namespace waybill;

void check(bool good, const char* what) {
  if (good) return;
  std::cerr << "fuzz_hl7: " << what << "\n";
  std::abort();
}

std::string pieces(std::string_view bytes, std::size_t chunk) {
  std::string out;
  hl7::Framer framer([&](const hl7::Piece& p) {
    out += std::to_string(static_cast<int>(p.kind)) + "@" + std::to_string(p.offset) + "+" +
           std::to_string(p.bytes.size()) + " ";
  });
  for (std::size_t at = 0; at < bytes.size(); at += chunk) framer.feed(bytes.substr(at, chunk));
  framer.finish();
  return out;
}

void read(const std::string& bytes) {
  std::uint64_t messages = 0;
  hl7::Intake intake([&](hl7::Message& m, const hl7::Origin&) {
    ++messages;
    for (std::size_t s = 0; s < m.size(); ++s) {
      for (std::size_t f = 1; f < 30; ++f) {
        for (const auto repetition : m.repetitions(m.field(s, f)))
          for (std::size_t c = 1; c < 6; ++c)
            check(is_utf8(m.value(m.component(repetition, c))), "a value is no UTF-8");
      }
    }
    const std::string text(m.field(0, 3));
    check(hl7::unescape(hl7::escape(text, m.delimiters()), m.delimiters(), "UTF-8") == text ||
              m.delimiters().escape == '\0',
          "escape and unescape do not agree");
  });
  intake.read_bytes("fuzz", bytes);
  const auto& c = intake.counts();
  check(c.pieces == c.messages + c.duplicates + c.bad && c.messages == messages, "messages are not accounted for");
  check(c.pieces > 0 || !intake.problems().empty(), "nothing was read and nothing was said");
  check(pieces(bytes, bytes.size() + 1) == pieces(bytes, 1 + bytes.size() % 13), "the cut depends on the chunks");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read({reinterpret_cast<const char*>(data), size});
  return 0;
}
