// SPDX-License-Identifier: Apache-2.0
// bench_hl7_parse [PATH…]: how fast HL7 is read. Without a path a made capture of 256 MiB (admissions, orders, reports)
// in memory: splitting alone, then all of intake with the fields an identity graph needs.
#include "hl7/framer.hpp"
#include "hl7/intake.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

namespace {

using namespace waybill;

std::string capture() {
  std::string out;
  for (std::size_t i = 0; out.size() < (256U << 20U); ++i) {
    const std::string n = std::to_string(1000000 + i);
    const std::string head = "MSH|^~\\&|HIS|GENERAL|RIS|RADIOLOGY|20240102030405||";
    const std::string pid =
        "|P|2.5.1||||||UNICODE UTF-8\rEVN||20240102030405\rPID|1||" + n +
        "^^^GENERAL^MR||WATERS^SAMUEL^J||19700304|M|||12 HIGH STREET^^SPRINGFIELD^^12345^USA||5551234\r"
        "PV1|1|O|CT^1^1|||||1234^REED^MARY||||||||||||V" +
        n + "\r";
    out += head + "ADT^A08|A" + n + pid;
    out += head + "ORM^O01|O" + n + pid + "ORC|NW|P" + n + "|F" + n + "||SC\rOBR|1|P" + n + "|F" + n +
           "|CTHEAD^CT Head^L|||20240102|||||||||1234^REED^MARY||A" + n + "|RP1|SPS1|||CT\rZDS|1.2.3." + n +
           "^HIS^Application^DICOM\r";
    out += head + "ORU^R01|R" + n + pid + "OBR|1|P" + n + "|F" + n + "|CTHEAD^CT Head^L|||20240102|||||||||||A" + n +
           "\r" +
           "OBX|1|TX|REPORT||No acute intracranial haemorrhage. Ventricles and sulci are normal for age. No mass "
           "effect.||||||F\r";
  }
  return out;
}

template <typename F>
void timed(const char* what, std::size_t bytes, const F& run) {
  const std::clock_t start = std::clock();  // of the processor: the rate of one core, whatever else the machine does
  const auto found = run();
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%-40s %8.0f MB/s  %9.0f messages/s\n", what, static_cast<double>(bytes) / took / 1e6,
              static_cast<double>(found) / took);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    std::uint64_t bytes = 0;
    std::string_view last;
    hl7::Intake intake([&](hl7::Message& m, const hl7::Origin&) { last = m.field("PID", 3); });
    const auto start = std::chrono::steady_clock::now();
    intake.read({argv + 1, argv + argc});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    bytes = intake.counts().bytes;
    std::printf("%llu messages, %.0f MB/s\n", static_cast<unsigned long long>(intake.counts().messages),
                static_cast<double>(bytes) / took.count() / 1e6);
    return 0;
  }
  const std::string bytes = capture();
  timed("cut and split into fields", bytes.size(), [&] {
    hl7::Message m;
    std::uint64_t n = 0;
    hl7::Framer framer([&](const hl7::Piece& p) { n += m.parse(p.bytes).has_value() ? 1 : 0; });
    framer.feed(bytes);
    framer.finish();
    return n;
  });
  timed("intake: duplicates, charset, time, PID", bytes.size(), [&] {
    std::size_t sum = 0;
    hl7::Intake intake([&](hl7::Message& m, const hl7::Origin&) {
      const auto pid = m.find("PID");
      for (const std::size_t f : {3, 5, 7, 8, 18}) sum += m.field(*pid, f).size();
    });
    intake.read_bytes("capture", bytes);
    return intake.counts().messages + (sum == 1 ? 1 : 0);
  });
  return 0;
}
