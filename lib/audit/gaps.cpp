// SPDX-License-Identifier: Apache-2.0
#include "audit/gaps.hpp"

#include "audit/syslog.hpp"
#include "core/result.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <system_error>

namespace waybill::audit {
namespace {

struct Run {
  std::vector<std::uint64_t> numbers;
  std::uint64_t stop = 0;  // number of the Application Stop message
};

void judge(const std::string& name, Run& run, GapReport& report) {
  std::sort(run.numbers.begin(), run.numbers.end());
  std::uint64_t expected = 1;
  for (const std::uint64_t number : run.numbers) {
    if (number < expected) {
      ++report.repeated;
      continue;
    }
    if (number > expected) {
      const bool one = number == expected + 1;
      report.gaps.push_back("run " + name + " lacks message" + (one ? " " : "s ") + std::to_string(expected) +
                            (one ? "" : " to " + std::to_string(number - 1)));
    }
    expected = number + 1;
  }
  report.messages += run.numbers.size();
  if (run.stop + 1 != expected) report.open.push_back("run " + name);
}

}  // namespace

GapReport find_gaps(const std::vector<std::string>& files) {
  GapReport report;
  std::map<std::string, Run> runs;
  for (const std::string& file : files) {
    std::ifstream in(file, std::ios::binary);
    if (!in)
      throw RunError(Exit::input, "cannot read " + path_to_text(file) + ": " + std::generic_category().message(errno) +
                                      "; check the path and its rights");
    for (std::string line; std::getline(in, line);) {
      const auto received = from_syslog(line);
      if (!received) {
        ++report.other_lines;
        continue;
      }
      Run& run = runs[received->envelope.run];
      run.numbers.push_back(received->envelope.sequence);
      if (received->xml.find(R"(csd-code="110121")") != std::string::npos) run.stop = received->envelope.sequence;
    }
    if (in.bad()) throw RunError(Exit::input, "cannot read all of " + path_to_text(file) + "; check its disk");
  }
  report.runs = runs.size();
  for (auto& [name, run] : runs) judge(name, run, report);
  return report;
}

}  // namespace waybill::audit
