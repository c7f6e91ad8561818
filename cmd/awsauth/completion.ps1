# Completion of awsauth for PowerShell. The words of the line are handed over as they
# are written: nothing in them is run.
Register-ArgumentCompleter -Native -CommandName awsauth -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.Extent.Text })
    if ($words -contains '--') { return } # behind it stands another command
    if ($words -contains '--%' -or "$words $wordToComplete" -match '"|\\( |$)') { return } # older versions pass such words on in pieces
    if ($wordToComplete.StartsWith('-')) { $words += $wordToComplete }
    & awsauth @words --generate-shell-completion 2>$null | ForEach-Object {
        $name, $meaning = $_.Split(':', 2) # a word each, and behind a colon what it is
        if ($name -and $name.StartsWith($wordToComplete) -and ($name[0] -ne '-' -or $wordToComplete)) {
            if (-not $meaning) { $meaning = $name }
            [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $meaning)
        }
    }
}
