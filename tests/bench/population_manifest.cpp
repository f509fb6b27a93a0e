// SPDX-License-Identifier: Apache-2.0
// population_manifest OUT.wb < objects.jsonl: a complete scan manifest of object records made elsewhere
// (make-population).
#include "core/clock.hpp"
#include "core/result.hpp"
#include "core/version.hpp"
#include "manifest/writer.hpp"

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  using namespace waybill;
  if (argc != 2) {
    std::cerr << "usage: population_manifest OUT.wb < objects.jsonl\n";
    return 2;
  }
  try {
    manifest::Header header;
    header.stage = "scan";
    header.run = random_uuid();
    header.tool = kToolName;
    header.created = utc_now();
    manifest::Writer writer(argv[1], header, manifest::Restart::yes);
    std::string line;
    std::uint64_t n = 0;
    while (std::getline(std::cin, line)) {
      writer.append(line);
      ++n;
    }
    writer.finish("{\"objects\":" + std::to_string(n) + "}");
  } catch (const RunError& error) {
    std::cerr << error.what() << "\n";
    return static_cast<int>(error.exit());
  }
  return 0;
}
