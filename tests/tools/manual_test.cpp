// SPDX-License-Identifier: Apache-2.0
// What the tools say of themselves against what the manual says: options in --help, in docs/man, in commands of the
// README and of every page.
#include "core/text.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

namespace waybill {
namespace {

namespace fs = std::filesystem;
using Words = std::set<std::string>;

fs::path folder_of(const char* variable) {
  const char* folder = std::getenv(variable);
  return folder == nullptr ? fs::path() : fs::path(folder);
}

std::string text_of(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file).rdbuf();
  return out.str();
}

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return out;
}

/// Every "--name" in a text.
Words options_in(std::string_view text) {
  Words out;
  const auto part = [](char c) { return c == '-' || std::islower(static_cast<unsigned char>(c)) != 0; };
  for (std::size_t at = text.find("--"); at != std::string_view::npos; at = text.find("--", at)) {
    std::size_t end = at + 2;
    while (end < text.size() &&
           (part(text[end]) || (end > at + 2 && std::isdigit(static_cast<unsigned char>(text[end])) != 0)))
      ++end;
    const bool begins = at == 0 || (std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0 && text[at - 1] != '-');
    if (begins && end > at + 2 && text[at + 2] != '-') out.emplace(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// What a tool says about itself and its subcommands.
struct Help {
  std::string text;
  Words listed;    ///< options that have a line of their own
  Words anywhere;  ///< these, and options that their sentences name
};

class Manual : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    bin_ = folder_of("WAYBILL_BIN");
    source_ = folder_of("WAYBILL_SOURCE");
    if (bin_.empty() || source_.empty()) return;
    for (const auto& entry : fs::directory_iterator(source_ / "docs/man")) {
      const std::string tool = entry.path().stem();
      if (!fs::exists(bin_ / tool)) continue;
      Help& help = helps_[tool];
      add(help, tool);
      for (const auto& name : subcommands(help.text)) add(help, tool + " " + name);
    }
  }
  void SetUp() override {
    if (helps_.empty()) GTEST_SKIP() << "WAYBILL_BIN and WAYBILL_SOURCE name no built tools and no source";
  }

  static void add(Help& help, const std::string& command) {
    const std::string text = output_of("'" + bin_.string() + "'/" + command + " --help");
    help.text += text;
    for (const auto line : split(text, '\n')) {
      const std::size_t begin = line.find_first_not_of(' ');
      if (begin == std::string_view::npos || begin == 0 || line[begin] != '-') continue;
      const std::string_view names = line.substr(begin, line.find("  ", begin) - begin);
      help.listed.merge(options_in(names.substr(0, names.find(" Needs:"))));
    }
    for (const char* all : {"--help", "--version"}) help.listed.erase(all);
    help.anywhere.merge(options_in(text));
  }
  static std::vector<std::string> subcommands(const std::string& help) {
    std::vector<std::string> out;
    const std::size_t at = help.find("\nSubcommands:\n");
    if (at == std::string::npos) return out;
    for (const auto line : split(help.substr(at + 14), '\n'))
      if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
        out.emplace_back(part_until_blank(line.substr(2)));
    return out;
  }
  static std::string_view part_until_blank(std::string_view text) { return text.substr(0, text.find(' ')); }

  static inline fs::path bin_, source_;
  static inline std::map<std::string, Help> helps_;
};

TEST_F(Manual, HasAPageForEveryTool) {
  std::size_t tools = 0;
  for (const auto& entry : fs::directory_iterator(bin_)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("waybill-")) continue;
    ++tools;
    EXPECT_TRUE(fs::exists(source_ / "docs/man" / (name + ".md"))) << name;
  }
  EXPECT_GT(tools, 10U);
}

TEST_F(Manual, EveryPageHasTheSectionsThatReadersLookFor) {
  for (const auto& [tool, help] : helps_) {
    const std::string page = text_of(source_ / "docs/man" / (tool + ".md"));
    for (const char* section : {"## NAME", "## SYNOPSIS", "## DESCRIPTION", "## EXIT STATUS", "## EXAMPLES"})
      EXPECT_NE(page.find(std::string("\n") + section + "\n"), std::string::npos) << tool << " " << section;
  }
}

TEST_F(Manual, NamesEveryOptionOfTheTool) {
  const Words audit = helps_.at("waybill-audit").listed;
  for (const auto& [tool, help] : helps_) {
    const std::string page = text_of(source_ / "docs/man" / (tool + ".md"));
    const Words named = options_in(page);
    const bool refers = page.find("waybill-audit(1)") != std::string::npos;
    for (const auto& option : help.listed)
      EXPECT_TRUE(named.count(option) > 0 || (refers && audit.count(option) > 0)) << tool << " " << option;
  }
}

TEST_F(Manual, DescribesNoOptionThatTheToolDoesNotHave) {
  for (const auto& [tool, help] : helps_) {
    for (const auto line : split(text_of(source_ / "docs/man" / (tool + ".md")), '\n')) {
      if (!line.starts_with("`-")) continue;
      for (const auto& option : options_in(line)) EXPECT_EQ(help.anywhere.count(option), 1U) << tool << " " << option;
    }
  }
}

/// The commands "waybill NAME …" of a page, each with what stands behind it up to the end of its part of the line.
std::vector<std::string> commands_of(const std::string& page) {
  std::vector<std::string> out;
  for (const auto line : split(page, '\n')) {
    for (std::size_t at = line.find("waybill "); at != std::string_view::npos; at = line.find("waybill ", at + 8)) {
      const std::string_view rest = line.substr(at + 8);
      out.emplace_back(
          rest.substr(0, std::min({rest.find('`'), rest.find(" | "), rest.find(" && "), rest.find(" #")})));
    }
  }
  return out;
}

TEST_F(Manual, EveryCommandOfEveryPageHasOptionsThatExist) {
  std::vector<fs::path> pages{source_ / "README.md", source_ / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(source_ / "docs"))
    if (entry.path().extension() == ".md") pages.push_back(entry.path());
  std::size_t seen = 0;
  for (const auto& page : pages) {
    for (const auto& command : commands_of(text_of(page))) {
      const auto help = helps_.find("waybill-" + std::string(part_until_blank(command)));
      if (help == helps_.end()) continue;
      for (const auto& option : options_in(command)) {
        ++seen;
        EXPECT_EQ(help->second.anywhere.count(option), 1U) << page << ": waybill " << command;
      }
    }
  }
  EXPECT_GT(seen, 100U);
}

TEST_F(Manual, EveryToolIntroducesItselfInOneSentenceAndCountsBytesAlike) {
  for (const auto& [tool, help] : helps_) {
    const auto lines = split(help.text, '\n');
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(help.text[0])) != 0) << tool;
    EXPECT_EQ(lines[0].find('.'), std::string::npos) << tool << " begins with one sentence, without a full stop";
    EXPECT_NE(help.text.find("--version"), std::string::npos) << tool;
    EXPECT_EQ(help.text.find("kb(=1024b)"), std::string::npos) << tool << ": MB are 10^6 and MiB are 2^20 everywhere";
  }
}

/// What `pattern`'s first group matches in a text.
Words matches(const std::string& text, const std::regex& pattern) {
  Words out;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) out.insert((*at)[1].str());
  return out;
}

TEST_F(Manual, FindingsOfTheCodeAndOfThePageAreTheSame) {
  const std::regex in_page("`((?:[A-Z]+-[A-Z0-9][A-Z0-9-]*)|D[0-9]{2})`");
  const std::regex in_code("\"([A-Z]+-[A-Z0-9][A-Z0-9-]*)\"");
  Words page, prefixes, code;
  for (const auto line : split(text_of(source_ / "docs/findings.md"), '\n')) {
    if (!line.starts_with("| `")) continue;  // the rows of its tables; their first cell may name two codes
    for (const auto& word : matches(std::string(line.substr(0, line.find(" | "))), in_page)) page.insert(word);
  }
  for (const auto& word : page)
    if (const auto dash = word.find('-'); dash != std::string::npos) prefixes.insert(word.substr(0, dash));
  for (const char* folder : {"lib", "tools"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source_ / folder)) {
      const auto ending = entry.path().extension();
      if (ending == ".cpp" || ending == ".hpp") code.merge(matches(text_of(entry.path()), in_code));
    }
  }
  for (const auto& word : code) {
    if (prefixes.count(word.substr(0, word.find('-'))) == 0) continue;
    EXPECT_EQ(page.count(word), 1U) << word << " has no row";
  }
  for (const auto& word : page) {
    const bool built = word.starts_with("REJECTED-") || word[0] == 'D';  // made of a number
    if (built && word.find('-') == std::string::npos) continue;
    EXPECT_TRUE(built || code.count(word) > 0) << word << " is written by nobody";
  }
  EXPECT_GT(page.size(), 100U);
}

}  // namespace
}  // namespace waybill
