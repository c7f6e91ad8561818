# Completion of awsauth for bash 3.2 and newer. The words of the line are handed over as
# they are: nothing in them is run, and no file behind > is opened.
_awsauth() {
  local cur="${COMP_WORDS[COMP_CWORD]}" line word longest=0 i
  local -a before found meanings
  before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
  found=() meanings=() COMPREPLY=()
  for word in ${before[@]+"${before[@]}"}; do
    if [[ "$word" == -- ]]; then
      return # behind it stands another command: bash proposes files
    fi
  done
  if [[ "$cur" == = ]]; then
    cur= # of --profile=, where the value begins
  fi
  if [[ "$cur" == -* ]]; then
    before+=("$cur")
  fi
  while IFS= read -r line; do # a word each, and behind a colon what it is
    word="${line%%:*}"
    if [[ -n "$word" && "${word:0:${#cur}}" == "$cur" && ( "$word" != -* || "$cur" == -* ) ]]; then
      found+=("$word")
      meanings+=("${line:${#word}+1}")
      (( ${#word} > longest )) && longest=${#word}
    fi
  done <<< "$("${1/#\~\//$HOME/}" ${before[@]+"${before[@]}"} --generate-shell-completion 2>/dev/null)"
  if [[ "${COMP_TYPE:-}" != 63 || ${#found[@]} -lt 2 ]]; then # 63: bash only lists what there is
    COMPREPLY=(${found[@]+"${found[@]}"})
    return
  fi
  for i in "${!found[@]}"; do
    printf -v line '%-*s  -- %s' "$longest" "${found[i]}" "${meanings[i]}"
    COMPREPLY+=("${line%  -- }")
  done
}

complete -o bashdefault -o default -F _awsauth awsauth
