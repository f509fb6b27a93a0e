// SPDX-License-Identifier: Apache-2.0
#include "cli/usage.hpp"

#include "core/nearest.hpp"

#include <string_view>
#include <vector>

namespace waybill::cli {
namespace {

constexpr std::string_view kPrefix = "waybill-";

/// The words of the command that was being parsed, and it itself: its help is the one to read.
struct Command {
  const CLI::App* app;
  std::string name;
};

Command command_of(const CLI::App& app) {
  Command command{&app, spoken_name(app)};
  for (auto inner = app.get_subcommands(); !inner.empty(); inner = command.app->get_subcommands()) {
    command.app = inner.back();
    command.name += " " + command.app->get_name();
  }
  return command;
}

std::string with_nearest(std::string text, std::string_view typed, const std::vector<std::string>& names) {
  const std::string near = nearest(typed, names);
  return near.empty() ? text : text + "; the nearest is " + near;
}

/// "there is no option --ouput; the nearest is --output" when a word that nobody took is one.
std::string unknown_option(const CLI::App& root, const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* level : {&app, &root})
    for (const CLI::Option* option : level->get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  for (const CLI::App* level : {&app, &root}) {
    for (const std::string& word : level->remaining(true)) {
      if (word.size() < 2 || word[0] != '-') continue;
      const std::string name = word.substr(0, word.find('='));
      return with_nearest("there is no option " + name, name, names);
    }
  }
  return {};
}

std::string unknown_command(const CLI::App& app) {
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const auto words = app.remaining();
  if (commands.empty() || !app.get_subcommands().empty() || words.empty()) return {};
  std::vector<std::string> names;
  std::string list;
  for (const CLI::App* command : commands) {
    names.push_back(command->get_name());
    list += (list.empty() ? "" : ", ") + names.back();
  }
  return with_nearest("'" + words.front() + "' is none of its commands: " + list, words.front(), names);
}

/// The library's sentence, said anew where it is hard to understand.
std::string plain_words(const CLI::ParseError& error) {
  const std::string text = error.what();
  if (const auto at = text.find(": At Most 1 required"); at != std::string::npos)
    return text.substr(0, at) + " is given more than once";
  if (text == "A subcommand is required") return "a command is required";
  return text;
}

}  // namespace

std::string spoken_name(const CLI::App& app) {
  std::string name = app.get_name();
  if (name.starts_with(kPrefix)) name[kPrefix.size() - 1] = ' ';
  return name;
}

std::string usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const Command command = command_of(app);
  std::string text;
  const auto kind = static_cast<CLI::ExitCodes>(error.get_exit_code());
  if (kind == CLI::ExitCodes::RequiredError || kind == CLI::ExitCodes::ExtrasError) {
    text = unknown_option(app, *command.app);
    if (text.empty() && kind == CLI::ExitCodes::RequiredError) text = unknown_command(app);
  }
  if (text.empty()) text = plain_words(error);
  return text + "; see '" + command.name + " --help'";
}

}  // namespace waybill::cli
